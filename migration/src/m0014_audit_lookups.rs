//! Indexes for filters of the audit log, measured with ten million events (`make bench-audit`).
//! Text search reads the newest events instead of trigram indexes, which slowed every write and
//! did not help tenants: PostgreSQL applies row-level security before operators that may leak
//! other rows.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in [
            "audit_event_part_of_summary",
            "audit_event_part_of_target_label",
            "audit_event_of_org_by_action",
            "audit_event_by_outcome",
        ] {
            manager
                .get_connection()
                .execute_unprepared(&format!("DROP INDEX IF EXISTS {name}"))
                .await?;
        }
        // Few distinct values, used by all orgs. Within one org, events come in order; across
        // all orgs, they are found together and sorted.
        let by = |column: &'static str| {
            Index::create()
                .name(format!("audit_event_by_{column}"))
                .table("audit_event")
                .col(column)
                .col("org_id")
                .col("id")
                .take()
        };
        manager.create_index(by("action")).await?;
        let other = Expr::col("outcome").ne(Expr::cust("'succeeded'"));
        manager.create_index(by("outcome").and_where(other).take()).await
    }
}
