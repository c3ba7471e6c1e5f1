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

/// Creates a trigram index on each text column in lower case, so that a case-insensitive substring
/// search does not scan the whole table. Creates none on SQLite, nor on PostgreSQL if the `pg_trgm`
/// extension is neither installed nor can be created by the schema owner: there, searches scan the
/// table.
pub async fn trigram_index(
    manager: &SchemaManager<'_>,
    table: &str,
    columns: &[&str],
) -> Result<(), DbErr> {
    create_indexes(manager, table, columns, |column| format!("lower({column})")).await
}

/// Replaces the indexes that [`trigram_index`] has created by indexes on the columns themselves,
/// for patterns that list the characters of both cases.
pub async fn index_unfolded_text(
    manager: &SchemaManager<'_>,
    table: &str,
    columns: &[&str],
) -> Result<(), DbErr> {
    create_indexes(manager, table, columns, str::to_owned).await
}

async fn create_indexes(
    manager: &SchemaManager<'_>,
    table: &str,
    columns: &[&str],
    key: impl Fn(&str) -> String,
) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let db = manager.get_connection();
    if row(db, CAN_CREATE_EXTENSION).await?.is_some() {
        db.execute_unprepared("CREATE EXTENSION pg_trgm").await?;
    }
    let Some(operator_class) = operator_class(db).await? else { return Ok(()) };
    for column in columns {
        let (index, key) = (format!("{table}_part_of_{column}"), key(column));
        let sql = format!(
            "DROP INDEX IF EXISTS {index}; \
             CREATE INDEX {index} ON \"{table}\" USING gin ({key} {operator_class})"
        );
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

async fn operator_class(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    row(db, OPERATOR_CLASS).await?.map(|row| row.try_get_by_index(0)).transpose()
}

async fn row(db: &impl ConnectionTrait, sql: &str) -> Result<Option<QueryResult>, DbErr> {
    db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await
}
