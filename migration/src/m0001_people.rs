//! Users and their credentials.

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
                    .table("user")
                    .col(pk_uuid("id"))
                    .col(string_len_uniq("email", 254))
                    .col(string_len("name", 100))
                    .col(string_len_null("image_url", 500))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("suspended_at"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("credential")
                    .col(pk_uuid("user_id"))
                    .col(string("password_hash"))
                    .col(timestamp_with_time_zone("changed_at"))
                    .foreign_key(
                        ForeignKey::create().from("credential", "user_id").to("user", "id"),
                    )
                    .take(),
            )
            .await
    }
}
