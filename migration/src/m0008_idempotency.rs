//! Stored responses for repeated requests. Keys are stored as hashes. Responses are encrypted,
//! because they may contain a token.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("idempotency_key")
                    .col(uuid("user_id"))
                    .col(binary("key_hash"))
                    .col(binary("request_hash"))
                    .col(binary("response"))
                    .col(timestamp_with_time_zone("stored_at"))
                    .primary_key(Index::create().col("user_id").col("key_hash"))
                    .foreign_key(
                        ForeignKey::create().from("idempotency_key", "user_id").to("user", "id"),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idempotency_key_age")
                    .table("idempotency_key")
                    .col("stored_at")
                    .take(),
            )
            .await
    }
}
