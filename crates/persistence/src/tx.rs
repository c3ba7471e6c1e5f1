//! A transaction on either backend, as a SeaORM connection. All statements outside migrations
//! run in one.

use std::sync::{Arc, atomic::Ordering};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    sea_query::{InsertStatement, Values},
    sqlx::{self, AssertSqlSafe, Executor, Postgres, Sqlite, query::Query},
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Mutex;

use crate::{
    backend::{Begun, Mode, insert_both_sql, lock_sql, statement},
    error::{StoreError, sqlx_error},
    store::Store,
};

/// A transaction. Dropping it rolls it back.
pub struct Tx {
    begun: Mutex<Begun>,
    store: Arc<Store>,
}

impl Tx {
    /// Begins in a separate task that cannot be cancelled: a `begin` dropped half way leaves the
    /// connection in an open transaction, and the next borrower's commits are lost (sqlx #4385,
    /// #4393).
    pub async fn begin(store: &Arc<Store>, mode: Mode) -> Result<Self, StoreError> {
        store.statements.fetch_add(1, Ordering::Relaxed);
        let task_store = Arc::clone(store);
        let begun = tokio::spawn(async move { task_store.pool.begin(mode).await });
        let begun = begun.await.map_err(|error| StoreError::Broken(error.to_string()))??;
        Ok(Self { begun: Mutex::new(begun), store: Arc::clone(store) })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        self.count();
        match self.begun.into_inner() {
            Begun::Postgres(tx) => tx.commit().await,
            Begun::Sqlite { tx, .. } => tx.commit().await,
        }
        .map_err(|error| sqlx_error(error).into())
    }

    /// Rolls back and waits for completion: locks are released when this returns. Dropping the
    /// transaction rolls back later.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.count();
        match self.begun.into_inner() {
            Begun::Postgres(tx) => tx.rollback().await,
            Begun::Sqlite { tx, .. } => tx.rollback().await,
        }
        .map_err(|error| sqlx_error(error).into())
    }

    /// Waits for the exclusive lock `key` and holds it until the transaction ends. No-op on SQLite,
    /// where a writer has the whole database.
    pub async fn wait_for(&self, key: i64) -> Result<(), StoreError> {
        let backend = self.get_database_backend();
        if let Some(sql) = lock_sql(backend) {
            self.execute_raw(statement(backend, sql, [key.into()])).await?;
        }
        Ok(())
    }

    /// Inserts into two tables in one round trip.
    pub async fn insert_two(
        &self,
        first: InsertStatement,
        second: InsertStatement,
    ) -> Result<(), StoreError> {
        self.execute_raw(insert_both_sql(self.get_database_backend(), first, second)).await?;
        Ok(())
    }

    /// Runs a query whose best plan depends on its values, without a generic plan. (`PostgreSQL`'s
    /// generic plan scans half of a large table where some values are rare.)
    pub async fn query_with_custom_plan(
        &self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, StoreError> {
        self.count();
        let rows = match &mut *self.begun.lock().await {
            Begun::Postgres(tx) => {
                tx.fetch_all(self.postgres(statement).persistent(false)).await.map(query_results)
            }
            Begun::Sqlite { tx, .. } => tx.fetch_all(sqlite(statement)).await.map(query_results),
        };
        Ok(rows.map_err(sqlx_error)?)
    }

    // SQL comes from SeaQuery or from constants with `$n`; values are always bound.
    fn postgres<'s>(&self, statement: &'s Statement) -> Query<'s, Postgres, SqlxValues> {
        sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values(statement))
            .persistent(self.store.pool.names_statements())
    }

    fn count(&self) {
        self.store.statements.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.store.pool.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.count();
        match &mut *self.begun.lock().await {
            Begun::Postgres(tx) => tx.execute(self.postgres(&statement)).await.map(Into::into),
            Begun::Sqlite { tx, .. } => tx.execute(sqlite(&statement)).await.map(Into::into),
        }
        .map_err(sqlx_error)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.count();
        match &mut *self.begun.lock().await {
            Begun::Postgres(tx) => tx.execute(AssertSqlSafe(sql)).await.map(Into::into),
            Begun::Sqlite { tx, .. } => tx.execute(AssertSqlSafe(sql)).await.map(Into::into),
        }
        .map_err(sqlx_error)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.count();
        match &mut *self.begun.lock().await {
            Begun::Postgres(tx) => {
                tx.fetch_optional(self.postgres(&statement)).await.map(|row| row.map(Into::into))
            }
            Begun::Sqlite { tx, .. } => {
                tx.fetch_optional(sqlite(&statement)).await.map(|row| row.map(Into::into))
            }
        }
        .map_err(sqlx_error)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.count();
        match &mut *self.begun.lock().await {
            Begun::Postgres(tx) => tx.fetch_all(self.postgres(&statement)).await.map(query_results),
            Begun::Sqlite { tx, .. } => tx.fetch_all(sqlite(&statement)).await.map(query_results),
        }
        .map_err(sqlx_error)
    }
}

fn query_results(rows: Vec<impl Into<QueryResult>>) -> Vec<QueryResult> {
    rows.into_iter().map(Into::into).collect()
}

fn sqlite(statement: &Statement) -> Query<'_, Sqlite, SqlxValues> {
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values(statement))
}

fn values(statement: &Statement) -> SqlxValues {
    SqlxValues(statement.values.clone().unwrap_or(Values(Vec::new())))
}
