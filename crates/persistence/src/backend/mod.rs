//! All runtime differences between SQLite and PostgreSQL: opening a pool, beginning a
//! transaction, locks and SQL dialects.

mod begun;
mod connections;
mod mode;
mod partitions;
mod postgres;
mod runtime;
mod sql;
mod sqlite;
mod text_pattern;

use postern_migration::rls::Roles;
use sea_orm::{DatabaseConnection, DbBackend, DbErr};
use tokio::runtime::Handle;

use crate::{error::StoreError, options::Options};

pub use begun::{Begun, ROLLBACK_TIMEOUT, affects_others, is_lost};
pub use mode::Mode;
pub use partitions::{PartitionSql, partition_sql};
pub use runtime::ConnectionRuntime;
pub use sql::{
    commit_outcome_sql, create_triggers_sql, drop_triggers_sql, insert_event_sql, is_read_only_sql,
    is_ticket, is_ticket_in, lock_impersonation_parties_sql, lock_sql, notify_sql, server_time_sql,
    set_tenant_role_sql, statement, timestamp_sql, transaction_id_sql, try_lock_sql,
    try_sequencer_lock_sql, uuid_bytes_sql, uuid_v7_sql,
};
pub use sqlite::{is_embedded, sqlite_file};
pub use text_pattern::text_pattern;

/// A connection pool of either backend.
pub enum Pool {
    Postgres(postgres::Pool),
    Sqlite(sqlite::Pool),
}

impl Pool {
    /// Opens the pool with one connection.
    pub async fn connect(options: &Options, runtime: &Handle) -> Result<Self, StoreError> {
        Ok(if is_embedded(&options.url) {
            Self::Sqlite(sqlite::Pool::connect(options, runtime).await?)
        } else {
            Self::Postgres(postgres::Pool::connect(options, runtime).await?)
        })
    }

    /// Acquires a connection, and on SQLite the write lock, to begin a transaction.
    pub async fn acquire(&self, mode: Mode) -> Result<Begun, StoreError> {
        match self {
            Self::Postgres(pool) => pool.acquire().await,
            Self::Sqlite(pool) => pool.acquire(mode).await,
        }
    }

    /// SQL that begins a transaction.
    pub fn begin_sql(&self, mode: Mode) -> String {
        match self {
            Self::Postgres(pool) => pool.begin_sql(mode),
            Self::Sqlite(_) => sqlite::begin_sql(mode).to_owned(),
        }
    }

    /// Closes connections that are idle now before their next use: another one was lost.
    pub fn expire_idle(&self) {
        match self {
            Self::Postgres(pool) => pool.connections.expire_idle(),
            Self::Sqlite(pool) => pool.connections.expire_idle(),
        }
    }

    /// Passes the payload of each notification to `notify` until the connection is lost. Never
    /// returns on SQLite, where there is one process.
    pub async fn listen(&self, notify: impl Fn(&str)) -> Result<(), StoreError> {
        match self {
            Self::Postgres(pool) => pool.listen(notify).await,
            Self::Sqlite(_) => std::future::pending().await,
        }
    }

    pub const fn names_statements(&self) -> bool {
        matches!(self, Self::Postgres(postgres::Pool { named: true, .. }))
    }

    pub const fn backend(&self) -> DbBackend {
        match self {
            Self::Postgres(_) => DbBackend::Postgres,
            Self::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Postgres(postgres) => postgres.connections.close().await,
            Self::Sqlite(sqlite) => sqlite.connections.close().await,
        }
    }
}

/// A connection of SeaORM as the schema owner, for migrations, with our schema as the search path.
pub async fn connect_as_owner(options: &Options) -> Result<DatabaseConnection, StoreError> {
    if is_embedded(&options.url) {
        sqlite::connect_as_owner(options).await
    } else {
        postgres::connect_as_owner(options).await
    }
}

/// Names of the row-level security roles, and the password of the server's login. None on SQLite.
pub fn roles(options: &Options) -> Result<Option<(Roles, Option<String>)>, DbErr> {
    (!is_embedded(&options.url)).then(|| postgres::roles(options)).transpose()
}
