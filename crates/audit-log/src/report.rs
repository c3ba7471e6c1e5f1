//! Result of verifying an export.

use crate::string_enum;

string_enum! {
    /// Kind of a fault: a stable identifier.
    FaultKind {
        /// Events differ from the log.
        Altered = "altered",
        /// An event does not belong to the log.
        Added = "added",
        /// Entries are missing.
        Missing = "missing",
        /// Two events claim the same entry.
        Duplicate = "duplicate",
        /// The tree does not match the signed root.
        Root = "root",
        /// A checkpoint is missing or invalid.
        Checkpoint = "checkpoint",
        /// The log contradicts a stored checkpoint.
        Rewritten = "rewritten",
        /// The log is shorter than a stored checkpoint.
        Truncated = "truncated",
        /// The export is malformed or was cut off.
        Incomplete = "incomplete",
    }
}

/// A fault found in an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// Description of the fault and of its position in the log.
    pub detail: String,
}

/// Result of verifying an export.
#[derive(Debug, Default)]
pub struct Report {
    pub origin: String,
    /// Number of entries in the log, according to its checkpoint.
    pub size: u64,
    pub events: u64,
    /// Ids of events with erased fields. Their other fields are verified.
    pub erased: Vec<String>,
    /// Number of entries that the filter of a partial export omits.
    pub omitted: u64,
    /// Number of entries without their event because of retention, as recorded in the log itself.
    pub expired: u64,
    /// Number of events that have yet to be added to the log.
    pub pending: u64,
    /// Number of events that were added to the log after the checkpoint.
    pub newer: u64,
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether the export has no faults.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }

    /// Adds a fault.
    pub(crate) fn fault(&mut self, kind: FaultKind, detail: impl Into<String>) {
        self.faults.push(Fault { kind, detail: detail.into() });
    }
}
