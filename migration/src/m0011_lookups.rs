//! Indexes for lookups by staff across all orgs. (Create a full database with
//! `postern demo --orgs`; `tests/suite/database/query_plans.rs` checks that no query reads a whole
//! table.)

use sea_orm_migration::{prelude::*, sea_orm::ExprTrait};

use crate::backend::trigram_index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        event_indexes(manager).await?;
        impersonation_indexes(manager).await?;
        trigram_index(manager, "audit_event", &["summary", "target_label"]).await?;
        trigram_index(manager, "user", &["email", "name"]).await?;
        trigram_index(manager, "organization", &["slug", "name"]).await
    }
}

async fn event_indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // Null in many events.
    for column in [
        "on_behalf_of_id",
        "on_behalf_of_email",
        "ticket_ref",
        "impersonation_id",
        "ip",
        "target_id",
    ] {
        let index = Index::create()
            .name(format!("audit_event_by_{column}"))
            .table("audit_event")
            .col(column)
            .col("id")
            .and_where(Expr::col(column).is_not_null())
            .take();
        manager.create_index(index).await?;
    }
    let by_outcome = Index::create()
        .name("audit_event_by_outcome")
        .table("audit_event")
        .col("outcome")
        .col("id")
        .and_where(Expr::col("outcome").ne(Expr::cust("'succeeded'")))
        .take();
    manager.create_index(by_outcome).await?;
    for column in ["actor_email", "target_label"] {
        let index = Index::create()
            .name(format!("audit_event_by_{column}"))
            .table("audit_event")
            .col(column)
            .col("id")
            .take();
        manager.create_index(index).await?;
    }
    Ok(())
}

async fn impersonation_indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // Row-level security uses these to show an org the names of users who are not, or no
    // longer, its members, but impersonated or were impersonated in it.
    for (name, column) in
        [("impersonation_by", "staff_user_id"), ("impersonation_in_name_of", "target_user_id")]
    {
        manager
            .create_index(
                Index::create().name(name).table("impersonation").col("org_id").col(column).take(),
            )
            .await?;
    }
    let by_session = Index::create()
        .name("impersonation_in_session")
        .table("impersonation")
        .col("staff_session_id")
        .take();
    manager.create_index(by_session).await?;
    // The impersonations that end with a staff member or tier are active ones.
    let mut live = Index::create()
        .name("impersonation_live")
        .table("impersonation")
        .col("staff_user_id")
        .take();
    manager.create_index(live.and_where(Expr::col("ended_at").is_null()).take()).await
}
