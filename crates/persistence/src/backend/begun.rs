//! A connection in a transaction.

use std::time::Duration;

use deadpool::managed::Object;
use sea_orm::sqlx::{self, Executor, PgConnection, SqliteConnection};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::connections::Pooled;

/// Maximum duration of a rollback.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection on which a transaction was begun. Dropping it returns the connection to the pool:
/// only after the end of the transaction.
pub enum Begun {
    Postgres(Pooled<PgConnection>),
    Sqlite {
        connection: Pooled<SqliteConnection>,
        /// Dropped after the connection is returned.
        _lock: Option<OwnedSemaphorePermit>,
    },
}

impl Begun {
    /// Rolls back and returns the connection to the pool; closes it if that fails. Must not be
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
                self.close();
                Err(error)
            }
            Err(_) => {
                self.close();
                Err(sqlx::Error::PoolTimedOut)
            }
        }
    }

    /// Closes the connection without waiting.
    pub fn close(self) {
        match self {
            Self::Postgres(connection) => drop(Object::take(connection)),
            Self::Sqlite { connection, _lock } => drop(Object::take(connection)),
        }
    }
}

/// Whether an error means that the connection cannot be used any more.
pub fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        // PostgreSQL, appendix A: class 08 (connection exception), and 57P01 to 57P05, with which
        // the server closes the connection.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        _ => false,
    }
}
