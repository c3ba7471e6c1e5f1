//! Indexes for case-insensitive substring search, on PostgreSQL only.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, DbErr, Statement},
};

const CAN_CREATE_EXTENSION: &str = "SELECT 1 FROM pg_available_extensions \
     WHERE name = 'pg_trgm' AND installed_version IS NULL \
     AND has_database_privilege(current_database(), 'CREATE')";
const HAS_OPERATOR_CLASS: &str = "SELECT 1 FROM pg_opclass \
     WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid)";

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
    if returns_row(db, CAN_CREATE_EXTENSION).await? {
        db.execute_unprepared("CREATE EXTENSION pg_trgm").await?;
    }
    if !returns_row(db, HAS_OPERATOR_CLASS).await? {
        return Ok(());
    }
    for column in columns {
        let index = format!(
            "CREATE INDEX {table}_part_of_{column} ON \"{table}\" \
             USING gin (lower({column}) gin_trgm_ops)"
        );
        db.execute_unprepared(&index).await?;
    }
    Ok(())
}

async fn returns_row(db: &impl ConnectionTrait, sql: &str) -> Result<bool, DbErr> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    Ok(db.query_one_raw(statement).await?.is_some())
}
