//! Impersonations: the cause of the end, and indexes for filters across all orgs (those of one org
//! use the primary key).

use sea_orm_migration::{prelude::*, schema::*};

use crate::backend::{drop_check, index_impersonation_tickets};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// An event with an impersonated user had to have a user as its actor. Operators and Postern itself
/// end impersonations too, and their events name the impersonated user as well.
const ACTOR_IS_USER: [&str; 2] = [
    r#", CHECK ("on_behalf_of_id" IS NULL OR "actor_id" IS NOT NULL)"#,
    "CHECK (((on_behalf_of_id IS NULL) OR (actor_id IS NOT NULL)))",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_check(manager, "audit_event", ACTOR_IS_USER).await?;
        let cause = Table::alter()
            .table("impersonation")
            .add_column(string_len_null("end_cause", 32))
            .take();
        manager.alter_table(cause).await?;
        for index in [
            "impersonation_by_target ON impersonation (target_user_id, id)",
            "impersonation_ended ON impersonation (id) WHERE ended_at IS NOT NULL",
            "impersonation_not_ended ON impersonation (id) WHERE ended_at IS NULL",
        ] {
            manager.get_connection().execute_unprepared(&format!("CREATE INDEX {index}")).await?;
        }
        index_impersonation_tickets(manager).await
    }
}
