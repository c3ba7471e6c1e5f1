//! Index for ticket references in any case. They are ASCII.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, DbErr},
};

/// Column of `audit_event` on PostgreSQL: the ticket reference in lower case.
pub const TICKET_KEY: &str = "ticket_key";

/// Creates an index of the events with a ticket reference, in any case. On PostgreSQL its column is
/// generated: row-level security is applied before functions that may leak other rows, `lower()`
/// among them, so that an index on an expression would not serve tenants.
pub async fn index_tickets(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let sql = match manager.get_database_backend() {
        DbBackend::Postgres => format!(
            "ALTER TABLE audit_event ADD COLUMN {TICKET_KEY} text \
             GENERATED ALWAYS AS (lower(ticket_ref COLLATE \"C\")) STORED; \
             CREATE INDEX audit_event_by_ticket ON audit_event ({TICKET_KEY}, id) \
             WHERE {TICKET_KEY} IS NOT NULL"
        ),
        _ => "CREATE INDEX audit_event_by_ticket ON audit_event (ticket_ref COLLATE NOCASE, id) \
              WHERE ticket_ref IS NOT NULL"
            .to_owned(),
    };
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

/// Creates an index of the impersonations by ticket reference, in any case.
pub async fn index_impersonation_tickets(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let key = match manager.get_database_backend() {
        DbBackend::Postgres => "lower(ticket_ref COLLATE \"C\")",
        _ => "ticket_ref COLLATE NOCASE",
    };
    let sql = format!("CREATE INDEX impersonation_by_ticket ON impersonation ({key}, id)");
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}
