//! Types shared by the modules of row-level security.

use std::fmt;

/// Names of the PostgreSQL roles. Roles belong to the whole cluster, not to one database.
#[derive(Debug, Clone)]
pub struct Roles {
    /// Assumed by transactions for one org.
    pub tenant: String,
    /// Assumed by transactions for staff, sign-in and workers.
    pub platform: String,
    /// Owns the audit tables (NOLOGIN). The schema owner assumes it for retention and erasure.
    pub audit_owner: String,
    /// The server's database login.
    pub login: String,
}

/// A check of `postern doctor` or `postern migrate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Anomalies,
    Clock,
    Connection,
    Demo,
    Extensions,
    Functions,
    Grants,
    Keys,
    Login,
    Migrations,
    Policies,
    ReadOnly,
    Roles,
    RowSecurity,
    Secrets,
    Tables,
    Triggers,
    Views,
}

impl Check {
    /// Name of the check: stable, for machines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anomalies => "anomalies",
            Self::Clock => "clock",
            Self::Connection => "connection",
            Self::Demo => "demo",
            Self::Extensions => "extensions",
            Self::Functions => "functions",
            Self::Grants => "grants",
            Self::Keys => "keys",
            Self::Login => "login",
            Self::Migrations => "migrations",
            Self::Policies => "policies",
            Self::ReadOnly => "read_only",
            Self::Roles => "roles",
            Self::RowSecurity => "row_security",
            Self::Secrets => "secrets",
            Self::Tables => "tables",
            Self::Triggers => "triggers",
            Self::Views => "views",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failed check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub check: Check,
    /// The difference from the expected state, and its location.
    pub detail: String,
    /// Steps that repair it.
    pub remedy: String,
}

/// Remedy of faults that a migration repairs.
pub const RUN_MIGRATE: &str = "run `postern migrate` as the schema owner";

impl Fault {
    pub fn new(check: Check, detail: String, remedy: impl Into<String>) -> Self {
        Self { check, detail, remedy: remedy.into() }
    }
}

/// Quotes an SQL identifier.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
