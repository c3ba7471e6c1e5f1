//! The connection pool and process-wide state.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use postern_keystore::AuditKeys;
use postern_migration::rls::Roles;
use sea_orm::sqlx;
use uuid::Uuid;

use crate::{
    backend::{self, ConnectionRuntime, Pool},
    error::{StoreError, sqlx_error},
    log_notify::LogNotifier,
    lookup::Lookups,
    options::Options,
};

/// A handle on the database, shared in an `Arc`. Access starts with
/// [`crate::pre_auth::PreAuthTx`].
pub struct Store {
    pub(crate) pool: Pool,
    pub(crate) runtime: ConnectionRuntime,
    /// Maximum wait for the response to a statement.
    pub(crate) response_timeout: Duration,
    /// Roles of row-level security; none on SQLite.
    pub(crate) roles: Option<Roles>,
    pub(crate) lookups: Lookups,
    audit_keys: Option<Arc<AuditKeys>>,
    log_notify: LogNotifier,
    pub(crate) statements: AtomicU64,
}

/// Time that PostgreSQL has to report a statement timeout.
const REPORT_TIME: Duration = Duration::from_secs(2);

/// Statement timeout of audit maintenance, which scans whole tables.
const MAINTENANCE_TIMEOUT: Duration = Duration::from_hours(2);

impl Store {
    /// Opens the pool with one connection. A missing SQLite file is created with mode 0600.
    pub async fn connect(options: &Options) -> Result<Arc<Self>, StoreError> {
        Self::open(options).await.map(Arc::new)
    }

    async fn open(options: &Options) -> Result<Self, StoreError> {
        let runtime =
            ConnectionRuntime::start().map_err(|error| sqlx_error(sqlx::Error::Io(error)))?;
        let pool = Pool::connect(options, runtime.handle()).await?;
        let roles = backend::roles(options)?.map(|(roles, _)| roles);
        let lookups = Lookups::new(roles.as_ref().map(|roles| roles.tenant.as_str()));
        Ok(Self {
            pool,
            runtime,
            response_timeout: options.statement_timeout + REPORT_TIME,
            roles,
            lookups,
            audit_keys: options.audit_keys.clone(),
            log_notify: LogNotifier::default(),
            statements: AtomicU64::new(0),
        })
    }

    /// Returns a store with its own pool, for background tasks: requests cannot use up its
    /// connections. SQLite has one writer per process, so its store is shared.
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

    /// Connects as the schema owner. Transactions assume the audit owner role instead of the
    /// platform role.
    pub(crate) async fn connect_as_audit_owner(options: &Options) -> Result<Arc<Self>, StoreError> {
        let url = options
            .owner_url
            .clone()
            .filter(|_| !backend::is_embedded(&options.url))
            .unwrap_or_else(|| options.url.clone());
        let platform_role = options.audit_owner_role.clone();
        Self::connect(&Options {
            url,
            platform_role,
            statement_timeout: MAINTENANCE_TIMEOUT,
            ..options.clone()
        })
        .await
    }

    /// Keys of the audit log.
    pub fn audit_keys(&self) -> Result<&Arc<AuditKeys>, StoreError> {
        self.audit_keys
            .as_ref()
            .ok_or_else(|| StoreError::Broken("the store was opened without audit keys".to_owned()))
    }

    /// Notifies subscribers of new log entries.
    #[must_use]
    pub const fn log_notify(&self) -> &LogNotifier {
        &self.log_notify
    }

    /// Forwards notifications of new log entries from other processes until the connection is lost.
    /// Never returns on SQLite.
    pub async fn listen(&self) -> Result<(), StoreError> {
        self.pool
            .listen(|payload| {
                let logs: Option<Vec<Uuid>> =
                    payload.split(',').map(|log| log.parse().ok()).collect();
                match logs {
                    Some(logs) => self.log_notify.notify(&logs),
                    None => self.log_notify.notify_all(),
                }
            })
            .await
    }

    /// Number of statements sent, one round trip each, including BEGIN and COMMIT. The rollback of
    /// a dropped transaction is not counted.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Closes all connections: for at most 2 s, it waits for those that are in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
