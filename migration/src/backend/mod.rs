//! Differences between SQLite and PostgreSQL in the schema.

mod append_only;
mod check;
mod lock;
mod partitions;
mod text_search;
mod tickets;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, DbErr, Statement},
};

pub use append_only::{
    APPEND_ONLY_BODY, append_only, append_only_faults, append_only_triggers,
    create_sqlite_triggers_sql, drop_append_only, drop_sqlite_triggers_sql, truncate_trigger,
};
pub use check::drop_check;
pub use lock::acquire_migration_lock;
pub use partitions::{create_partitions_sql, partition_by_month};
pub use text_search::{index_unfolded_text, trigram_index};
pub use tickets::{TICKET_KEY, index_impersonation_tickets, index_tickets};

/// Reports whether a table exists.
pub async fn has_table(db: &impl ConnectionTrait, name: &str) -> Result<bool, DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT 1 FROM pg_class \
             WHERE relname = $1 AND relnamespace = current_schema()::regnamespace"
        }
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
    };
    let statement = Statement::from_sql_and_values(backend, sql, [name.into()]);
    Ok(db.query_one_raw(statement).await?.is_some())
}

/// SQL expression for at least `length` random bytes, to fill a new column of existing rows.
pub fn random_bytes(backend: DbBackend, length: usize) -> String {
    match backend {
        // 16 bytes at a time, 122 bits of them random: without an extension, PostgreSQL has no
        // other source.
        DbBackend::Postgres => {
            vec!["uuid_send(gen_random_uuid())"; length.div_ceil(16)].join(" || ")
        }
        _ => format!("randomblob({length})"),
    }
}

/// Lets the schema owner, which runs the migrations, access all rows of a table with row-level
/// security: rows hidden by policies would be neither filled nor copied. Row-level security is
/// forced again after the migrations.
pub async fn disable_force_rls(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!(r#"ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY"#);
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}
