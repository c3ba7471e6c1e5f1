//! All runtime differences between SQLite and PostgreSQL: opening a pool, beginning a
//! transaction, locks and SQL dialects.

mod mode;
mod partitions;
mod pool_options;
mod postgres;
mod sql;
mod sqlite;
mod text_pattern;

use postern_migration::rls::Roles;
use sea_orm::{
    DatabaseConnection, DbBackend, DbErr, SqlxPostgresConnector, SqlxSqliteConnector,
    sqlx::{Postgres, Sqlite, Transaction},
};
use tokio::sync::OwnedSemaphorePermit;

use crate::{error::StoreError, options::Options};

pub use mode::Mode;
pub use partitions::{PartitionSql, partition_sql};
pub use sql::{
    create_triggers_sql, drop_triggers_sql, insert_both_sql, is_ticket, is_ticket_in,
    lock_impersonation_parties_sql, lock_sql, notify_sql, server_time_sql, set_tenant_role_sql,
    statement, timestamp_sql, try_lock_sql, try_sequencer_lock_sql, uuid_bytes_sql, uuid_v7_sql,
};
pub use sqlite::{is_embedded, sqlite_file};
pub use text_pattern::text_pattern;

/// A connection pool of either backend.
pub enum Pool {
    Postgres(postgres::Pool),
    Sqlite(sqlite::Pool),
}

/// A transaction of either backend.
pub enum Begun {
    Postgres(Transaction<'static, Postgres>),
    Sqlite { tx: Transaction<'static, Sqlite>, _lock: Option<OwnedSemaphorePermit> },
}

impl Pool {
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        Ok(if is_embedded(&options.url) {
            Self::Sqlite(sqlite::Pool::connect(options).await?)
        } else {
            Self::Postgres(postgres::Pool::connect(options).await?)
        })
    }

    /// Connects as the schema owner, for migrations, with our schema as the search path.
    pub async fn connect_as_owner(options: &Options) -> Result<Self, StoreError> {
        Ok(if is_embedded(&options.url) {
            Self::Sqlite(sqlite::Pool::connect(options).await?)
        } else {
            Self::Postgres(postgres::Pool::connect_as_owner(options).await?)
        })
    }

    /// Begins a transaction. Must not be dropped half way: see [`crate::tx::Tx::begin`].
    pub async fn begin(&self, mode: Mode) -> Result<Begun, StoreError> {
        Ok(match self {
            Self::Postgres(pool) => Begun::Postgres(pool.begin(mode).await?),
            Self::Sqlite(pool) => {
                let (tx, lock) = pool.begin(mode).await?;
                Begun::Sqlite { tx, _lock: lock }
            }
        })
    }

    /// Passes the payload of each notification to `notify` until the connection is lost. Never
    /// returns on SQLite, where there is one process.
    pub async fn listen(&self, notify: impl Fn(&str)) -> Result<(), StoreError> {
        match self {
            Self::Postgres(pool) => pool.listen(notify).await,
            Self::Sqlite(_) => std::future::pending().await,
        }
    }

    /// A second handle on the same pool, for migrations.
    pub fn as_sea_orm(&self) -> DatabaseConnection {
        match self {
            Self::Postgres(postgres) => {
                SqlxPostgresConnector::from_sqlx_postgres_pool(postgres.connections.clone())
            }
            Self::Sqlite(sqlite) => {
                SqlxSqliteConnector::from_sqlx_sqlite_pool(sqlite.connections.clone())
            }
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

/// Names of the row-level security roles, and the password of the server's login. None on SQLite.
pub fn roles(options: &Options) -> Result<Option<(Roles, Option<String>)>, DbErr> {
    (!is_embedded(&options.url)).then(|| postgres::roles(options)).transpose()
}
