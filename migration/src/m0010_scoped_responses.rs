//! Stored responses belong to an org, so that the same key is unused in another org, and row-level
//! security applies to them as to all other tables. Responses outside any org have the nil id.
//!
//! The table is recreated: its rows live for a day, and SQLite cannot change a primary key.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("idempotency_key").take()).await?;
        manager
            .create_table(
                Table::create()
                    .table("idempotency_key")
                    .col(uuid("org_id"))
                    .col(uuid("user_id"))
                    .col(binary("key_hash"))
                    .col(binary("request_hash"))
                    .col(binary("response"))
                    .col(timestamp_with_time_zone("stored_at"))
                    .primary_key(Index::create().col("org_id").col("user_id").col("key_hash"))
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
