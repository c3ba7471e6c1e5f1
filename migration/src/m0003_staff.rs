//! The vendor's staff.

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
                    .table("staff")
                    .col(pk_uuid("user_id"))
                    .col(string_len("tier", 16))
                    .col(timestamp_with_time_zone("since"))
                    .check(Expr::col("tier").is_in([
                        "support",
                        "operations",
                        "engineering",
                        "super_admin",
                    ]))
                    .foreign_key(ForeignKey::create().from("staff", "user_id").to("user", "id"))
                    .take(),
            )
            .await
    }
}
