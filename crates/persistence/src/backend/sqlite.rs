//! SQLite: the pool and its write lock.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sea_orm::sqlx::{
    self, ConnectOptions, Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{mode::Mode, pool_options::pool_options};
use crate::{
    error::{StoreError, sqlx_error},
    options::{Durability, Options},
};

pub struct Pool {
    pub connections: SqlitePool,
    /// Admits one writer at a time, in FIFO order. SQLite itself makes writers poll and may starve
    /// some.
    writer: Arc<Semaphore>,
    /// Maximum wait for the writer's permit.
    timeout: Duration,
}

impl Pool {
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        if let Some(file) = sqlite_file(&options.url) {
            create_private(&file).map_err(|error| sqlx_error(sqlx::Error::Io(error)))?;
        }
        let connect: SqliteConnectOptions = options.url.parse().map_err(sqlx_error)?;
        let connections = pool_options::<Sqlite>(options)
            .connect_with(
                connect
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(match options.durability {
                        Durability::Full => SqliteSynchronous::Full,
                        Durability::Normal => SqliteSynchronous::Normal,
                        Durability::Off => SqliteSynchronous::Off,
                    })
                    .foreign_keys(true)
                    // If off, INSERT OR REPLACE bypasses the triggers of append-only tables.
                    .pragma("recursive_triggers", "ON")
                    .busy_timeout(options.acquire_timeout)
                    .disable_statement_logging(),
            )
            .await
            .map_err(sqlx_error)?;
        Ok(Self {
            connections,
            writer: Arc::new(Semaphore::new(1)),
            timeout: options.acquire_timeout,
        })
    }

    /// Begins a transaction; a writer holds the write lock until the permit is dropped.
    pub async fn begin(
        &self,
        mode: Mode,
    ) -> Result<(Transaction<'static, Sqlite>, Option<OwnedSemaphorePermit>), StoreError> {
        // A transaction that reads and then writes fails at once (SQLITE_BUSY) unless it began as a
        // writer.
        let (sql, permit) = match mode {
            Mode::Read | Mode::NoRole => ("BEGIN DEFERRED", None),
            Mode::Write => ("BEGIN IMMEDIATE", Some(self.acquire_writer().await?)),
        };
        Ok((self.connections.begin_with(sql).await.map_err(sqlx_error)?, permit))
    }

    async fn acquire_writer(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let permit = Arc::clone(&self.writer).acquire_owned();
        match tokio::time::timeout(self.timeout, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(sqlx_error(sqlx::Error::PoolTimedOut).into()),
        }
    }
}

/// Reports whether the database is a SQLite file.
pub fn is_embedded(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// The file of a SQLite URL; none for PostgreSQL and databases in memory.
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?.trim_start_matches("//").split('?').next()?;
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

fn create_private(file: &Path) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file).map(drop)
}
