//! Retention and erasure, the only removals from the audit log. On PostgreSQL, only the audit
//! owner (NOLOGIN) has the privileges; on SQLite, the append-only triggers are dropped and
//! restored in one transaction. The hashes of removed events stay in the log, and each removal is
//! recorded as an event.

mod data_subject;
mod erasure;
mod partitions;
mod retention;
mod store;

pub use erasure::Erasure;
pub use retention::{RetainedLog, RetentionReport};
pub use store::AuditMaintenance;
