//! SQLite: the pool and its write lock.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sea_orm::{
    DatabaseConnection, SqlxSqliteConnector,
    sqlx::{
        self, ConnectOptions, SqliteConnection,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{begun::Begun, connections::Connections, mode::Mode};
use crate::{
    deadline::wait,
    error::{StoreError, sqlx_error},
    options::{Durability, Options},
};

pub struct Pool {
    pub connections: Connections<SqliteConnection>,
    /// Admits one writer at a time, in FIFO order. SQLite itself makes writers poll and may starve
    /// some.
    writer: Arc<Semaphore>,
    /// Maximum wait for the writer's permit.
    timeout: Duration,
}

impl Pool {
    pub async fn connect(options: &Options, runtime: &Handle) -> Result<Self, StoreError> {
        let connections = Connections::open(connect_options(options)?, options, runtime).await?;
        Ok(Self {
            connections,
            writer: Arc::new(Semaphore::new(1)),
            timeout: options.acquire_timeout,
        })
    }

    /// Acquires a connection; a writer also acquires the permit to write.
    pub async fn acquire(&self, mode: Mode) -> Result<Begun, StoreError> {
        let permit = match mode {
            Mode::Read | Mode::NoRole => None,
            Mode::Write => Some(self.acquire_writer().await.map_err(sqlx_error)?),
        };
        let connection = self.connections.acquire().await?;
        Ok(Begun::Sqlite { connection, _lock: permit })
    }

    async fn acquire_writer(&self) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        let permit = Arc::clone(&self.writer).acquire_owned();
        wait(self.timeout, async { permit.await.map_err(|_| sqlx::Error::PoolClosed) }).await
    }
}

/// SQL that begins a transaction. A transaction that reads and then writes fails at once
/// (`SQLITE_BUSY`) unless it began as a writer.
pub const fn begin_sql(mode: Mode) -> &'static str {
    match mode {
        Mode::Read | Mode::NoRole => "BEGIN DEFERRED",
        Mode::Write => "BEGIN IMMEDIATE",
    }
}

/// A connection of SeaORM for migrations.
pub async fn connect_as_owner(options: &Options) -> Result<DatabaseConnection, StoreError> {
    let pool = SqlitePoolOptions::new()
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect_options(options)?)
        .await
        .map_err(sqlx_error)?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// Connection options. Creates a missing file.
fn connect_options(options: &Options) -> Result<SqliteConnectOptions, StoreError> {
    if let Some(file) = sqlite_file(&options.url) {
        create_private(&file).map_err(|error| sqlx_error(sqlx::Error::Io(error)))?;
    }
    let connect: SqliteConnectOptions = options.url.parse().map_err(sqlx_error)?;
    Ok(connect
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
        .disable_statement_logging())
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
