//! Orgs and their members.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        organization(manager).await?;
        membership(manager).await
    }
}

async fn organization(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("organization")
                .col(pk_uuid("id"))
                .col(string_len_uniq("slug", 40))
                .col(string_len("name", 100))
                .col(string_len("plan", 16))
                .col(timestamp_with_time_zone_null("trial_ends_at"))
                .col(big_integer("max_users"))
                .col(big_integer("max_projects"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone_null("deletion_requested_at"))
                .check(Expr::col("plan").is_in(["starter", "growth", "enterprise"]))
                .take(),
        )
        .await
}

async fn membership(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("membership")
                .col(uuid("org_id"))
                .col(uuid("id"))
                .col(uuid("user_id"))
                .col(string_len("role", 16))
                .col(timestamp_with_time_zone("created_at"))
                .check(Expr::col("role").is_in(["viewer", "member", "admin", "owner"]))
                .primary_key(Index::create().col("org_id").col("id"))
                .foreign_key(
                    ForeignKey::create().from("membership", "org_id").to("organization", "id"),
                )
                .foreign_key(ForeignKey::create().from("membership", "user_id").to("user", "id"))
                .take(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("membership_once")
                .table("membership")
                .col("org_id")
                .col("user_id")
                .unique()
                .take(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("membership_of_user")
                .table("membership")
                .col("user_id")
                .col("org_id")
                .take(),
        )
        .await
}
