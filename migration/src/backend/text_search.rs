//! Indexes for case-insensitive substring search, on PostgreSQL only.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, DbErr, QueryResult, Statement},
};

const CAN_CREATE_EXTENSION: &str = "SELECT 1 FROM pg_available_extensions \
     WHERE name = 'pg_trgm' AND installed_version IS NULL \
     AND has_database_privilege(current_database(), 'CREATE')";
/// The operator class in whatever schema the extension is installed.
const OPERATOR_CLASS: &str = "SELECT format('%I.%I', n.nspname, o.opcname) \
     FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace \
     WHERE o.opcname = 'gin_trgm_ops' AND has_schema_privilege(n.oid, 'USAGE')";

/// Creates a trigram index on each text column, so that a case-insensitive substring search does
/// not scan the whole table. Creates none on SQLite, nor on PostgreSQL if the `pg_trgm` extension
/// is neither installed nor can be created by the schema owner: there, searches scan the table.
pub async fn trigram_index(
    manager: &SchemaManager<'_>,
    table: &str,
    columns: &[&str],
) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let db = manager.get_connection();
    if row(db, CAN_CREATE_EXTENSION).await?.is_some() {
        db.execute_unprepared("CREATE EXTENSION pg_trgm").await?;
    }
    let Some(found) = row(db, OPERATOR_CLASS).await? else { return Ok(()) };
    let operator_class: String = found.try_get_by_index(0)?;
    for column in columns {
        let index = format!(
            "CREATE INDEX {table}_part_of_{column} ON \"{table}\" \
             USING gin (lower({column}) {operator_class})"
        );
        db.execute_unprepared(&index).await?;
    }
    Ok(())
}

async fn row(db: &impl ConnectionTrait, sql: &str) -> Result<Option<QueryResult>, DbErr> {
    db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await
}
