//! Types shared by the modules of row-level security.

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

/// A failed check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the check: stable, for machines.
    pub check: &'static str,
    /// The difference from the expected state, and its location.
    pub detail: String,
    /// Steps that repair it.
    pub remedy: String,
}

/// Remedy of faults that a migration repairs.
pub const RUN_MIGRATE: &str = "run `postern migrate` as the schema owner";

impl Fault {
    pub fn new(check: &'static str, detail: String, remedy: impl Into<String>) -> Self {
        Self { check, detail, remedy: remedy.into() }
    }
}

/// Quotes an SQL identifier.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
