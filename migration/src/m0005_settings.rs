//! Settings, feature overrides and usage of orgs.

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
                    .table("org_setting")
                    .col(pk_uuid("org_id"))
                    .col(string_len_null("color", 7))
                    .col(string_len_null("logo_url", 500))
                    .col(string_len_null("support_email", 254))
                    .col(big_integer("version"))
                    .foreign_key(
                        ForeignKey::create().from("org_setting", "org_id").to("organization", "id"),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("feature_override")
                    .col(uuid("org_id"))
                    .col(string_len("feature", 40))
                    .col(boolean("enabled"))
                    .col(string_len("reason", 500))
                    .col(timestamp_with_time_zone_null("expires_at"))
                    .primary_key(Index::create().col("org_id").col("feature"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("feature_override", "org_id")
                            .to("organization", "id"),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("usage_point")
                    .col(uuid("org_id"))
                    .col(string_len("metric", 40))
                    .col(timestamp_with_time_zone("at"))
                    .col(big_integer("value"))
                    .primary_key(Index::create().col("org_id").col("metric").col("at"))
                    .foreign_key(
                        ForeignKey::create().from("usage_point", "org_id").to("organization", "id"),
                    )
                    .take(),
            )
            .await
    }
}
