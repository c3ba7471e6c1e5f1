//! A connection in a transaction.

use std::{error::Error, io, time::Duration};

use deadpool::managed::Object;
use sea_orm::sqlx::{
    self, Connection, Executor, PgConnection, SqliteConnection,
    postgres::{PgDatabaseError, PgSeverity},
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::connections::Pooled;
use crate::deadline::LimitReached;

/// Maximum duration of a rollback.
pub const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection on which a transaction was begun. Dropping it returns the connection to the pool.
/// Drop it only after the transaction has ended.
pub enum Begun {
    Postgres(Pooled<PgConnection>),
    Sqlite {
        connection: Pooled<SqliteConnection>,
        /// Dropped after the connection is returned.
        _lock: Option<OwnedSemaphorePermit>,
    },
}

impl Begun {
    /// Rolls back and returns the connection to the pool. Closes it if that fails. Must not be
    /// cancelled.
    pub async fn roll_back(mut self) -> Result<(), sqlx::Error> {
        let rollback = async {
            match &mut self {
                Self::Postgres(connection) => {
                    (&mut **connection).execute("ROLLBACK").await.map(drop)
                }
                Self::Sqlite { connection, .. } => {
                    (&mut **connection).execute("ROLLBACK").await.map(drop)
                }
            }
        };
        match timeout(ROLLBACK_TIMEOUT, rollback).await {
            Ok(Ok(())) => Ok(()),
            // SQLite rolls back by itself if the disk is full or fails.
            Ok(Err(sqlx::Error::Database(error)))
                if error.message().contains("no transaction is active") =>
            {
                Ok(())
            }
            Ok(Err(error)) => {
                self.close().await;
                Err(error)
            }
            Err(_) => {
                self.close().await;
                Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    /// Closes the connection. On SQLite, that waits until its statement has ended, because it may
    /// hold the write lock.
    pub async fn close(self) {
        match self {
            Self::Postgres(connection) => drop(Object::take(connection)),
            Self::Sqlite { connection, _lock } => {
                // The connection is closed in any case.
                let _ = Object::take(connection).close().await;
            }
        }
    }
}

/// Whether an error means that other connections are probably lost too.
pub fn affects_others(error: &sqlx::Error) -> bool {
    let source = match error {
        sqlx::Error::Io(error) => error.get_ref(),
        _ => None,
    };
    let is_limit_reached = source.is_some_and(<dyn Error + Send + Sync>::is::<LimitReached>);
    is_lost(error) && !is_limit_reached
}

/// Whether an error means that the connection cannot be used any more.
pub fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        // PostgreSQL closes the connection after these. A commit may have succeeded before.
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)),
        _ => false,
    }
}
