//! Removal of CHECK constraints.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, DbErr},
};

/// Drops a CHECK constraint of a table, given as SQLite stores it, with the comma before it, and as
/// PostgreSQL prints it.
///
/// SQLite cannot drop constraints. Its documentation recommends to change the stored text of the
/// table instead of copying it (<https://www.sqlite.org/lang_altertable.html>, 7).
pub async fn drop_check(
    manager: &SchemaManager<'_>,
    table: &str,
    [sqlite, postgres]: [&str; 2],
) -> Result<(), DbErr> {
    let db = manager.get_connection();
    if manager.get_database_backend() == DbBackend::Postgres {
        let sql = format!(
            "DO $$ DECLARE name text; BEGIN
               SELECT conname INTO STRICT name FROM pg_constraint
               WHERE conrelid = '{table}'::regclass AND contype = 'c'
                 AND pg_get_constraintdef(oid) = '{postgres}';
               EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', name);
             END $$"
        );
        return db.execute_unprepared(&sql).await.map(drop);
    }
    db.execute_unprepared("PRAGMA writable_schema = ON").await?;
    let sql = format!(
        "UPDATE sqlite_schema SET sql = replace(sql, '{sqlite}', '')
         WHERE type = 'table' AND name = '{table}' AND instr(sql, '{sqlite}') > 0"
    );
    let changed = db.execute_unprepared(&sql).await?.rows_affected();
    db.execute_unprepared("PRAGMA writable_schema = RESET").await?;
    if changed == 1 { Ok(()) } else { Err(DbErr::Migration(format!("{table} lacks a check"))) }
}
