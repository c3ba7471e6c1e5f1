//! Sessions and refresh tokens. Tokens are stored as hashes. Used tokens are kept, to distinguish a
//! replay from a guess.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        session(manager).await?;
        refresh_token(manager).await
    }
}

async fn session(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("session")
                .col(pk_uuid("id"))
                .col(uuid("user_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("last_used_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .col(string_len_null("ip", 45))
                .col(string_len_null("user_agent", 200))
                .foreign_key(ForeignKey::create().from("session", "user_id").to("user", "id"))
                .take(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("session_of_user")
                .table("session")
                .col("user_id")
                .col("id")
                .take(),
        )
        .await
}

async fn refresh_token(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("refresh_token")
                .col(binary("hash").primary_key())
                .col(uuid("session_id"))
                .col(timestamp_with_time_zone("issued_at"))
                .col(timestamp_with_time_zone_null("used_at"))
                .foreign_key(
                    ForeignKey::create().from("refresh_token", "session_id").to("session", "id"),
                )
                .take(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("refresh_token_of_session")
                .table("refresh_token")
                .col("session_id")
                .take(),
        )
        .await
}
