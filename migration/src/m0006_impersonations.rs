//! Impersonations.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        impersonation(manager).await?;
        indexes(manager).await
    }
}

async fn impersonation(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("impersonation")
                .col(uuid("org_id"))
                .col(uuid("id"))
                .col(uuid("staff_user_id"))
                .col(uuid("staff_session_id"))
                .col(uuid("target_user_id"))
                .col(string_len("mode", 16))
                .col(string_len("reason", 500))
                .col(string_len("ticket_ref", 64))
                .col(timestamp_with_time_zone("started_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .check(Expr::col("mode").is_in(["read_only", "full"]))
                // The domain enforces this as well.
                .check(Expr::col("staff_user_id").ne(Expr::col("target_user_id")))
                .primary_key(Index::create().col("org_id").col("id"))
                .foreign_key(
                    ForeignKey::create().from("impersonation", "org_id").to("organization", "id"),
                )
                .foreign_key(
                    ForeignKey::create().from("impersonation", "staff_user_id").to("user", "id"),
                )
                .foreign_key(
                    ForeignKey::create()
                        .from("impersonation", "staff_session_id")
                        .to("session", "id"),
                )
                .foreign_key(
                    ForeignKey::create().from("impersonation", "target_user_id").to("user", "id"),
                )
                .take(),
        )
        .await
}

async fn indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_index(
            Index::create()
                .name("impersonation_id")
                .table("impersonation")
                .col("id")
                .unique()
                .take(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("impersonation_of_staff")
                .table("impersonation")
                .col("staff_user_id")
                .col("id")
                .take(),
        )
        .await
}
