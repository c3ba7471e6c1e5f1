//! The audit log. It has no foreign keys, so that no deletion elsewhere removes its rows.

use sea_orm_migration::{prelude::*, schema::*};

use crate::backend::append_only;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        audit_event(manager).await?;
        indexes(manager).await?;
        append_only(manager, "audit_event", &["id"]).await
    }
}

async fn audit_event(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("audit_event")
                .col(pk_uuid("id"))
                .col(timestamp_with_time_zone("occurred_at"))
                .col(uuid_null("org_id"))
                .col(string_len_null("org_slug", 40))
                .col(string_len("actor_type", 16))
                .col(uuid_null("actor_id"))
                .col(string_len_null("actor_email", 254))
                .col(string_len_null("actor_tier", 16))
                .col(uuid_null("on_behalf_of_id"))
                .col(string_len_null("on_behalf_of_email", 254))
                .col(string_len("action", 64))
                .col(string_len("outcome", 16))
                .col(string_len("target_type", 16))
                .col(string_len_null("target_id", 64))
                .col(text("target_label"))
                .col(text("summary"))
                .col(text_null("reason"))
                .col(string_len_null("ticket_ref", 64))
                .col(json_binary("metadata"))
                .col(string_len_null("ip", 45))
                .col(string_len_null("user_agent", 200))
                .col(uuid_null("session_id"))
                .col(uuid_null("impersonation_id"))
                .col(string_len_null("request_id", 64))
                .col(integer("schema_version"))
                // An event has an impersonated user if and only if it has an impersonation;
                // then it has an actor too.
                .check(
                    Expr::col("on_behalf_of_id")
                        .is_null()
                        .eq(Expr::col("impersonation_id").is_null()),
                )
                .check(
                    Expr::col("on_behalf_of_id").is_null().or(Expr::col("actor_id").is_not_null()),
                )
                .take(),
        )
        .await
}

async fn indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_index(
            Index::create()
                .name("audit_event_of_org")
                .table("audit_event")
                .col("org_id")
                .col("id")
                .take(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("audit_event_of_actor")
                .table("audit_event")
                .col("actor_id")
                .col("id")
                .take(),
        )
        .await?;
    // Sign-in failures are counted by account and by address before each sign-in.
    for (name, column) in
        [("audit_event_failed_account", "actor_email"), ("audit_event_failed_address", "ip")]
    {
        manager
            .create_index(
                Index::create()
                    .name(name)
                    .table("audit_event")
                    .col(column)
                    .col("occurred_at")
                    .and_where(Expr::col("action").eq(Expr::cust("'auth.login_failed'")))
                    .take(),
            )
            .await?;
    }
    Ok(())
}
