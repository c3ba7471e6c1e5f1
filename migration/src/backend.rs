//! All that differs between SQLite and PostgreSQL in the schema.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait},
};

/// The key of the advisory lock that migrations are applied under; any number, but always the same.
const MIGRATING: i64 = 0x0050_6f73_7465_726e;

/// A turn at migrating, held until [`Turn::end`].
pub struct Turn(Option<DatabaseTransaction>);

/// Waits for other processes that are migrating the same database. A SQLite file is one process's own: nobody waits.
pub async fn take_turn(db: &DatabaseConnection) -> Result<Turn, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(Turn(None));
    }
    let lock = db.begin().await?;
    let wait = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_advisory_xact_lock($1)", [MIGRATING.into()]);
    lock.execute_raw(wait).await?;
    Ok(Turn(Some(lock)))
}

impl Turn {
    pub async fn end(self) -> Result<(), DbErr> {
        match self.0 {
            Some(lock) => lock.commit().await,
            None => Ok(()),
        }
    }
}

/// Makes a table that rows can be added to and that nobody changes: UPDATE, DELETE and TRUNCATE are refused by triggers.
///
/// What a superuser can still do is why the record is also to be a Merkle log; `postern-tests` tries the rest as raw SQL.
pub async fn append_only(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let sql = match manager.get_database_backend() {
        DbBackend::Postgres => format!(
            r#"CREATE OR REPLACE FUNCTION postern_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$;
               CREATE TRIGGER {table}_keeps_rows BEFORE UPDATE OR DELETE ON "{table}"
                 FOR EACH ROW EXECUTE FUNCTION postern_append_only();
               CREATE TRIGGER {table}_keeps_all BEFORE TRUNCATE ON "{table}"
                 FOR EACH STATEMENT EXECUTE FUNCTION postern_append_only();"#
        ),
        // INSERT OR REPLACE deletes without firing a delete trigger, so a second row of the same id is refused as well.
        DbBackend::Sqlite => format!(
            r#"CREATE TRIGGER {table}_keeps_updated BEFORE UPDATE ON "{table}"
                 BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
               CREATE TRIGGER {table}_keeps_deleted BEFORE DELETE ON "{table}"
                 BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
               CREATE TRIGGER {table}_keeps_replaced BEFORE INSERT ON "{table}"
                 WHEN EXISTS (SELECT 1 FROM "{table}" WHERE id = NEW.id)
                 BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"#
        ),
        other => return Err(DbErr::Migration(format!("{other:?} is not supported"))),
    };
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}
