//! Index for the filter by ticket reference in any case.

use sea_orm_migration::prelude::*;

use crate::backend::index_tickets;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX audit_event_by_ticket_ref").await?;
        index_tickets(manager).await
    }
}
