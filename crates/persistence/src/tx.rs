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
use tokio::{sync::Mutex, task::JoinHandle};
use uuid::Uuid;

use crate::{
    backend::{
        Begun, Mode, ROLLBACK_TIMEOUT, insert_event_sql, lock_sql, statement, transaction_id_sql,
    },
    commit_outcome::{self, Evidence, Outcome},
    deadline::wait,
    error::{StoreError, sqlx_error},
    store::Store,
    tx_state::State,
};

/// A transaction. Dropping it rolls it back.
pub struct Tx {
    state: Mutex<State>,
    store: Arc<Store>,
}

impl Tx {
    /// Begins a transaction.
    pub async fn begin(store: &Arc<Store>, mode: Mode) -> Result<Self, StoreError> {
        let begun = store.pool.acquire(mode).await?;
        let state = State::new(begun);
        let tx = Self { state: Mutex::new(state), store: Arc::clone(store) };
        tx.execute_unprepared(&store.pool.begin_sql(mode)).await?;
        Ok(tx)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Commits. If the response is lost, finds out from the database what happened.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.identify().await?;
        let committed = self.execute_unprepared("COMMIT").await;
        let state = self.state.get_mut();
        match committed {
            Ok(_) => {
                state.begun = None;
                Ok(())
            }
            Err(error) if state.lost => {
                let evidence = state.evidence.take();
                self.start_rollback();
                match self.outcome(evidence).await {
                    Some(Outcome::Committed) => Ok(()),
                    Some(Outcome::RolledBack) => Err(StoreError::Unavailable(error)),
                    None => Err(StoreError::OutcomeUnknown(error)),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the id of a transaction that has not written an event. Fails if a statement failed.
    async fn identify(&mut self) -> Result<(), StoreError> {
        let backend = self.get_database_backend();
        if self.state.get_mut().evidence.is_none()
            && let Some(sql) = transaction_id_sql(backend)
        {
            let row = self.query_one_raw(Statement::from_string(backend, sql)).await?;
            let xid: Option<String> = row.map(|row| row.try_get("", "xid")).transpose()?.flatten();
            self.state.get_mut().evidence = xid.map(|xid| Evidence { xid, event: None });
        }
        Ok(())
    }

    /// Outcome of the commit, read on another connection.
    async fn outcome(&self, evidence: Option<Evidence>) -> Option<Outcome> {
        let statement = evidence?.statement(self.get_database_backend())?;
        let ask = || async {
            let tx = Self::begin(&self.store, Mode::Read).await?;
            let row = tx.query_one_raw(statement.clone()).await?;
            row.as_ref().map_or(Ok(None), commit_outcome::read)
        };
        commit_outcome::find(ask).await
    }

    /// Rolls back and waits for completion: locks are released when this returns. Dropping the
    /// transaction rolls back later.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        self.count();
        let Some(rollback) = self.start_rollback() else { return Ok(()) };
        // If the wait ends first, the task continues.
        let rollback = async { rollback.await.unwrap_or(Err(sqlx::Error::WorkerCrashed)) };
        Ok(wait(ROLLBACK_TIMEOUT, rollback).await.map_err(sqlx_error)?)
    }

    /// Starts to roll back in a task that is not cancelled with the request.
    fn start_rollback(&mut self) -> Option<JoinHandle<Result<(), sqlx::Error>>> {
        let state = self.state.get_mut();
        let begun = state.begun.take()?;
        if state.others_lost {
            self.store.pool.expire_idle();
        }
        let runtime = self.store.runtime.handle();
        if state.lost {
            runtime.spawn(begun.close());
            return None;
        }
        Some(runtime.spawn(begun.roll_back()))
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

    /// Queues and inserts the event with this id, in one round trip.
    pub async fn insert_event(
        &self,
        id: Uuid,
        queued: InsertStatement,
        event: InsertStatement,
    ) -> Result<(), StoreError> {
        let backend = self.get_database_backend();
        let statement = insert_event_sql(backend, queued, event);
        if backend == DbBackend::Postgres {
            let row = self.query_one_raw(statement).await?;
            let xid = row.map(|row| row.try_get("", "xid")).transpose()?;
            self.state.lock().await.evidence = xid.map(|xid| Evidence { xid, event: Some(id) });
        } else {
            self.execute_raw(statement).await?;
        }
        Ok(())
    }

    /// Runs a query whose best plan depends on its values, without a generic plan. (`PostgreSQL`'s
    /// generic plan scans half of a large table where some values are rare.)
    pub async fn query_with_custom_plan(
        &self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, StoreError> {
        self.count();
        let mut state = self.state.lock().await;
        let result = match state.start()? {
            Begun::Postgres(connection) => {
                let query = self.postgres(statement).persistent(false);
                self.wait((&mut **connection).fetch_all(query)).await.map(query_results)
            }
            Begun::Sqlite { connection, .. } => {
                self.wait((&mut **connection).fetch_all(sqlite(statement))).await.map(query_results)
            }
        };
        Ok(state.finish(result)?)
    }

    // SQL comes from SeaQuery or from constants with `$n`; values are always bound.
    fn postgres<'s>(&self, statement: &'s Statement) -> Query<'s, Postgres, SqlxValues> {
        sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values(statement))
            .persistent(self.store.pool.names_statements())
    }

    async fn wait<T>(
        &self,
        response: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        wait(self.store.response_timeout, response).await
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
        let mut state = self.state.lock().await;
        let result = match state.start()? {
            Begun::Postgres(connection) => self
                .wait((&mut **connection).execute(self.postgres(&statement)))
                .await
                .map(Into::into),
            Begun::Sqlite { connection, .. } => {
                self.wait((&mut **connection).execute(sqlite(&statement))).await.map(Into::into)
            }
        };
        state.finish(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.count();
        let mut state = self.state.lock().await;
        let result = match state.start()? {
            Begun::Postgres(connection) => {
                self.wait((&mut **connection).execute(AssertSqlSafe(sql))).await.map(Into::into)
            }
            Begun::Sqlite { connection, .. } => {
                self.wait((&mut **connection).execute(AssertSqlSafe(sql))).await.map(Into::into)
            }
        };
        state.finish(result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.count();
        let mut state = self.state.lock().await;
        let result = match state.start()? {
            Begun::Postgres(connection) => self
                .wait((&mut **connection).fetch_optional(self.postgres(&statement)))
                .await
                .map(query_result),
            Begun::Sqlite { connection, .. } => self
                .wait((&mut **connection).fetch_optional(sqlite(&statement)))
                .await
                .map(query_result),
        };
        state.finish(result)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.count();
        let mut state = self.state.lock().await;
        let result = match state.start()? {
            Begun::Postgres(connection) => self
                .wait((&mut **connection).fetch_all(self.postgres(&statement)))
                .await
                .map(query_results),
            Begun::Sqlite { connection, .. } => self
                .wait((&mut **connection).fetch_all(sqlite(&statement)))
                .await
                .map(query_results),
        };
        state.finish(result)
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        self.start_rollback();
    }
}

fn query_result(row: Option<impl Into<QueryResult>>) -> Option<QueryResult> {
    row.map(Into::into)
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
