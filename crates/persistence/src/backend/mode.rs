//! Kinds of transactions.

/// The kind of a transaction. Reads and writes differ on SQLite, which has one writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Read,
    Write,
    /// Assumes no role on PostgreSQL, so only the catalog is readable.
    NoRole,
}
