//! Checkpoints that the tree of an export is compared with: the current one, its history, and those
//! that the auditor stored.

use postern_tlog::{Checkpoint, Verifier};

use crate::{
    checkpoint::{self, CheckpointError},
    export::End,
    report::{FaultKind, Report},
};

/// A checkpoint that the auditor stored earlier.
pub struct StoredCheckpoint {
    /// Name for the report, such as a file name.
    pub name: String,
    /// The signed note.
    pub note: String,
}

impl From<String> for StoredCheckpoint {
    fn from(note: String) -> Self {
        Self { name: "a stored checkpoint".to_owned(), note }
    }
}

/// A signed checkpoint of the exported log.
pub struct KnownCheckpoint {
    pub checkpoint: Checkpoint,
    /// Name, if the auditor stored it; otherwise it is from the export.
    pub stored: Option<String>,
}

/// Keys and checkpoints that an auditor trusts. Those of an export are verified against them.
pub struct Trusted {
    pub keys: Vec<Verifier>,
    pub stored: Vec<StoredCheckpoint>,
    /// Whether the export was made after all stored checkpoints.
    pub current: bool,
}

impl Trusted {
    /// Verifies the signatures of all checkpoints. Returns those of the log, smallest first. `None`
    /// if the checkpoint of the export is not signed, so that there is nothing to compare the tree
    /// with.
    pub fn verify(&self, end: &End, report: &mut Report) -> Option<Vec<KnownCheckpoint>> {
        let checkpoint = checkpoint::verify(&end.checkpoint, &self.keys)
            .map_err(|error| {
                let is_other_log = matches!(error, CheckpointError::OtherLog { .. });
                let kind = if is_other_log { FaultKind::OtherLog } else { FaultKind::Checkpoint };
                report.fault(kind, format!("the checkpoint of the export: {error}"));
            })
            .ok()?;
        let is_other = !report.origin.is_empty() && checkpoint.origin != report.origin;
        if checkpoint.origin != end.origin || is_other {
            let detail = format!("the checkpoint is of another log: {}", checkpoint.origin);
            report.fault(FaultKind::Checkpoint, detail);
        }
        report.origin.clone_from(&checkpoint.origin);
        report.size = checkpoint.size;
        let mut known = Vec::new();
        known.extend(
            self.stored.iter().filter_map(|stored| self.verify_stored(stored, &checkpoint, report)),
        );
        known.extend(
            end.history.iter().filter_map(|note| self.verify_earlier(note, &checkpoint, report)),
        );
        known.push(KnownCheckpoint { checkpoint, stored: None });
        known.sort_by_key(|known| known.checkpoint.size);
        Some(known)
    }

    /// Verifies a stored checkpoint against the `checkpoint` of the export.
    fn verify_stored(
        &self,
        StoredCheckpoint { name, note }: &StoredCheckpoint,
        checkpoint: &Checkpoint,
        report: &mut Report,
    ) -> Option<KnownCheckpoint> {
        let stored = match checkpoint::verify(note, &self.keys) {
            Ok(stored) => stored,
            Err(error) => {
                let kind = match error {
                    CheckpointError::OtherLog { .. } => FaultKind::OtherLog,
                    CheckpointError::OtherKey { .. } => FaultKind::OtherKey,
                    _ => FaultKind::Checkpoint,
                };
                report.fault(kind, format!("{name}: {error}"));
                return None;
            }
        };
        let (own, exported) = (stored.size, checkpoint.size);
        if stored.origin != checkpoint.origin {
            let (own, exported) = (&stored.origin, &checkpoint.origin);
            let detail = format!("{name} is of the log {own}, but the export is of {exported}");
            report.fault(FaultKind::OtherLog, detail);
            return None;
        }
        if own > exported && self.current {
            let detail =
                format!("the log was truncated: {name} has {own} entries, the log now has");
            report.fault(FaultKind::Truncated, format!("{detail} {exported}"));
        } else if own > exported {
            let detail = format!(
                "{name} has {own} entries, the export {exported}: the export is older than the \
                 checkpoint, or the log was truncated"
            );
            report.fault(FaultKind::Older, detail);
        }
        Some(KnownCheckpoint { checkpoint: stored, stored: Some(name.clone()) })
    }

    /// Verifies a checkpoint of the export's history against the `checkpoint` of the export.
    fn verify_earlier(
        &self,
        note: &str,
        checkpoint: &Checkpoint,
        report: &mut Report,
    ) -> Option<KnownCheckpoint> {
        let problem = match checkpoint::verify(note, &self.keys) {
            Err(error) => error.to_string(),
            Ok(earlier) if earlier.origin != checkpoint.origin => {
                format!("it is of another log: {}", earlier.origin)
            }
            Ok(earlier) if earlier.size > checkpoint.size => format!(
                "it has {} entries, more than the {} of the checkpoint of the export",
                earlier.size, checkpoint.size
            ),
            Ok(earlier) => return Some(KnownCheckpoint { checkpoint: earlier, stored: None }),
        };
        let detail = format!("a checkpoint of the export's history: {problem}");
        report.fault(FaultKind::Checkpoint, detail);
        None
    }
}
