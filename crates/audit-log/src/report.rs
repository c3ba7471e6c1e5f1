//! Result of verifying an export.

use crate::{string_enum, verdict::Verdict};

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
        /// The file has an invalid line, or its lines contradict each other.
        Malformed = "malformed",
        /// The export was cut off, or is a part of a log.
        Incomplete = "incomplete",
        /// The export may be older than a stored checkpoint.
        Older = "older",
        /// A checkpoint or the export is of another log.
        OtherLog = "other_log",
        /// A stored checkpoint is signed by a key that is not given.
        OtherKey = "other_key",
        /// The export has data that this program does not know.
        Unsupported = "unsupported",
    }
}

impl FaultKind {
    /// Conclusion from a fault of this kind.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Incomplete
            | Self::Older
            | Self::OtherLog
            | Self::OtherKey
            | Self::Unsupported => Verdict::Inconclusive,
            Self::Altered
            | Self::Added
            | Self::Missing
            | Self::Duplicate
            | Self::Root
            | Self::Checkpoint
            | Self::Rewritten
            | Self::Truncated
            | Self::Malformed => Verdict::NotValid,
        }
    }

    /// Instruction to the auditor.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Altered
            | Self::Added
            | Self::Missing
            | Self::Duplicate
            | Self::Root
            | Self::Malformed => {
                "Export the log again and verify the new file. If it is valid, the first file was \
                 altered or damaged after the export. If not, the log was altered: keep both files \
                 and your checkpoints as evidence."
            }
            Self::Checkpoint => {
                "Compare your key with the one that the vendor published. If the vendor announced \
                 a new key, pass it with another --key. Otherwise keep the file as evidence: it \
                 was signed by someone else, or altered."
            }
            Self::Rewritten | Self::Truncated => {
                "Keep the file and the checkpoint as evidence: the log does not contain all that \
                 it contained when the checkpoint was stored."
            }
            Self::Incomplete => {
                "Download the whole export again. For an export with a filter, pass --partial. \
                 Compare a checkpoint inside a subtree with `postern-verify consistency`."
            }
            Self::Older => {
                "Export the log again now and verify the new file with --current: it must have at \
                 least as many entries as each of your checkpoints."
            }
            Self::OtherLog => "Pass an export, checkpoints and keys of the same log.",
            Self::OtherKey => "Pass the key that you stored with the checkpoint, with --key.",
            Self::Unsupported => {
                "Verify with the newest postern-verify. If the fault remains, the data was added \
                 to the file: do not rely on it."
            }
        }
    }
}

/// A fault found in an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// Description of the fault and of its position in the file and in the log.
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

    /// The conclusion: the worst of all faults.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.faults.iter().map(|fault| fault.kind.verdict()).max().unwrap_or(Verdict::Valid)
    }

    /// Adds a fault.
    pub(crate) fn fault(&mut self, kind: FaultKind, detail: impl Into<String>) {
        self.faults.push(Fault { kind, detail: detail.into() });
    }
}
