//! Options of the database connection.

use std::{sync::Arc, time::Duration};

use postern_domain::string_enum;
use postern_keystore::AuditKeys;

/// Database connection options. No `Debug`: the URL may contain a password.
#[derive(Clone)]
pub struct Options {
    /// `sqlite://path/to/file.db` or `postgres://user@host/database`.
    pub url: String,
    /// URL that `postern migrate` uses on PostgreSQL to connect as the schema owner, which the
    /// server never is. Defaults to `url`.
    pub owner_url: Option<String>,
    /// PostgreSQL role of transactions that serve one org.
    pub tenant_role: String,
    /// PostgreSQL role of all other transactions.
    pub platform_role: String,
    /// PostgreSQL role that owns the audit tables (NOLOGIN).
    pub audit_owner_role: String,
    /// Whether to use named prepared statements. Set it to false behind `PgBouncer` before 1.21 in
    /// transaction mode.
    pub prepared_statements: bool,
    pub max_connections: u32,
    /// Maximum wait for a connection, and on SQLite for the write lock; then operations fail with
    /// [`crate::StoreError::Unavailable`].
    pub acquire_timeout: Duration,
    /// Maximum duration of one statement on PostgreSQL.
    pub statement_timeout: Duration,
    /// Durability of acknowledged commits on SQLite if the power fails.
    pub durability: Durability,
    /// Keys of the audit log. Without them, recording events and reading log positions fail.
    pub audit_keys: Option<Arc<AuditKeys>>,
}

string_enum! {
    /// Durability of acknowledged commits on SQLite.
    Durability {
        /// Every commit is flushed to disk before it is acknowledged.
        Full = "full",
        /// A power failure may lose the last commits; a crash of the process does not.
        Normal = "normal",
        /// Commits are not flushed. For disposable databases only.
        Off = "off",
    }
}
