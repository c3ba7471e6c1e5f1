//! Retention of each org that differs from the default, and legal holds.

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
                    .table("retention")
                    .col(pk_uuid("org_id"))
                    .col(big_integer_null("days"))
                    .col(timestamp_with_time_zone_null("held_since"))
                    .foreign_key(
                        ForeignKey::create().from("retention", "org_id").to("organization", "id"),
                    )
                    .take(),
            )
            .await
    }
}
