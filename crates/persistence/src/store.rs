//! The pool behind everything, and what is said of it at start-up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use postern_migration::fence::Roles;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use crate::{
    audit_keys::AuditKeys,
    backend::{self, Pool},
    error::StoreError,
    instance,
    log_notify::LogNotifier,
    lookup::Lookups,
    tx::{Mode, Tx},
};

/// How to reach the database. The address may hold a password, so this does not print.
#[derive(Clone)]
pub struct Options {
    /// `sqlite://path/to/file.db` or `postgres://user@host/database`.
    pub url: String,
    /// How `postern migrate` reaches it on PostgreSQL: as the owner of the schema, whom the server never is. None: as above.
    pub owner_url: Option<String>,
    /// What a transaction becomes on PostgreSQL, for one org and for everything else.
    pub tenant_role: String,
    pub platform_role: String,
    /// Whom the tables of the record belong to there.
    pub keeper_role: String,
    /// Whether statements are prepared under names. A pooler in between may not know them: `PgBouncer` before 1.21.
    pub prepared_statements: bool,
    pub max_connections: u32,
    /// How long a request waits for a connection before it is told that the database is not available.
    pub acquire_timeout: Duration,
    /// How long one statement may run on PostgreSQL.
    pub statement_timeout: Duration,
    /// How hard SQLite tries to keep what was acknowledged when the power goes.
    pub durability: Durability,
    /// What the record is kept with. Without it the store can be looked at, and nothing that is recorded can be done.
    pub audit_keys: Option<Arc<AuditKeys>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Every commit reaches the disk before it is acknowledged.
    Full,
    /// A loss of power may take the last commits along; a crash of the process does not.
    Normal,
    /// For throw-away databases.
    Off,
}

/// The database. Cheap to clone through its `Arc`; what can be done with it begins at [`crate::gate::PreAuthTx`].
pub struct Store {
    pub(crate) pool: Pool,
    /// The roles of the wall between tenants, where there is one.
    pub(crate) roles: Option<Roles>,
    pub(crate) lookups: Lookups,
    audit_keys: Option<Arc<AuditKeys>>,
    log_notify: LogNotifier,
    pub(crate) statements: AtomicU64,
}

/// How long a statement of the keeper's may run: it goes through all that there is.
const KEEPERS: Duration = Duration::from_hours(2);

impl Store {
    /// Opens the pool and tries one connection. A SQLite file that is not there is made, readable by its owner alone.
    pub async fn connect(options: &Options) -> Result<Arc<Self>, StoreError> {
        Self::open(options).await.map(Arc::new)
    }

    async fn open(options: &Options) -> Result<Self, StoreError> {
        let pool = Pool::connect(options).await?;
        let roles = backend::roles(options)?.map(|(roles, _)| roles);
        let lookups = Lookups::new(roles.as_ref().map(|roles| roles.tenant.as_str()));
        Ok(Self {
            pool,
            roles,
            lookups,
            audit_keys: options.audit_keys.clone(),
            log_notify: LogNotifier::default(),
            statements: AtomicU64::new(0),
        })
    }

    /// The same database for a task of the process's own: with connections of its own, where connections belong to the threads that requests are
    /// served by and end with those; a file has one writer, who is shared.
    pub async fn separate_pool(
        self: &Arc<Self>,
        options: &Options,
    ) -> Result<Arc<Self>, StoreError> {
        if backend::is_embedded(&options.url) {
            return Ok(Arc::clone(self));
        }
        let separate_pool = Self::open(&Options { max_connections: 3, ..options.clone() }).await?;
        Ok(Arc::new(Self {
            log_notify: self.log_notify.clone(),
            audit_keys: self.audit_keys.clone(),
            ..separate_pool
        }))
    }

    /// As the owner of the schema, who becomes the keeper of the record where the server becomes the platform.
    pub(crate) async fn connect_as_audit_owner(options: &Options) -> Result<Arc<Self>, StoreError> {
        let url = options
            .owner_url
            .clone()
            .filter(|_| !backend::is_embedded(&options.url))
            .unwrap_or_else(|| options.url.clone());
        let platform_role = options.keeper_role.clone();
        Self::connect(&Options {
            url,
            platform_role,
            statement_timeout: KEEPERS,
            ..options.clone()
        })
        .await
    }

    /// Makes sure that the record of this database is the one that it is going to be kept as; a new database takes it for its own.
    pub async fn bind_audit_keys(self: &Arc<Self>) -> Result<(), StoreError> {
        let audit_keys = Arc::clone(self.audit_keys()?);
        let tx = Tx::begin(self, Mode::Write).await?;
        instance::belongs(&tx, &audit_keys).await?;
        tx.commit().await
    }

    /// What the record is kept with.
    pub fn audit_keys(&self) -> Result<&Arc<AuditKeys>, StoreError> {
        self.audit_keys.as_ref().ok_or_else(|| {
            StoreError::Broken("this store was opened to be looked at only".to_owned())
        })
    }

    /// Tells that logs have grown.
    #[must_use]
    pub const fn log_notify(&self) -> &LogNotifier {
        &self.log_notify
    }

    /// Hears from other processes that logs have grown, until the connection is lost.
    pub async fn listen(&self) -> Result<(), StoreError> {
        self.pool
            .listen(|told| {
                let logs: Option<Vec<Uuid>> = told.split(',').map(|log| log.parse().ok()).collect();
                match logs {
                    Some(logs) => self.log_notify.notify(&logs),
                    None => self.log_notify.notify_all(),
                }
            })
            .await
    }

    /// Does the database answer? One round trip.
    pub async fn ping(self: &Arc<Self>) -> Result<(), StoreError> {
        let tx = Tx::begin(self, Mode::Read).await?;
        tx.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// Statements sent so far, each one round trip; those that begin and commit are among them. A transaction that is
    /// dropped is rolled back after the answer, and not counted.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Closes all connections once what is running has come back.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// SQL with `$1`, `$2`, … that both databases read alike.
pub(crate) fn statement(
    backend: DbBackend,
    sql: &str,
    values: impl IntoIterator<Item = sea_orm::Value>,
) -> Statement {
    Statement::from_sql_and_values(backend, sql, values)
}
