//! Checkpoints that the tree of an export is compared with: the current one, its history, and those
//! that the auditor stored.

use postern_tlog::{Checkpoint, Verifier};

use crate::{
    checkpoint,
    export::End,
    report::{FaultKind, Report},
};

/// A signed checkpoint of the exported log.
pub struct KnownCheckpoint {
    pub checkpoint: Checkpoint,
    /// Whether the auditor stored it; otherwise it is from the export.
    pub stored: bool,
}

/// Verifies the signatures of all checkpoints. Returns those of the log, smallest first. `None` if
/// the checkpoint of the export is not signed, so that there is nothing to compare the tree with.
pub fn verify(
    end: &End,
    stored: &[String],
    keys: &[Verifier],
    report: &mut Report,
) -> Option<Vec<KnownCheckpoint>> {
    let checkpoint =
        verify_signature(&end.checkpoint, "the checkpoint of the export", keys, report)?;
    let is_other = !report.origin.is_empty() && checkpoint.origin != report.origin;
    if checkpoint.origin != end.origin || is_other {
        let detail = format!("the checkpoint is of another log: {}", checkpoint.origin);
        report.fault(FaultKind::Checkpoint, detail);
    }
    report.origin.clone_from(&checkpoint.origin);
    report.size = checkpoint.size;
    let mut known = Vec::new();
    for note in stored {
        let Some(stored) = verify_signature(note, "a stored checkpoint", keys, report) else {
            continue;
        };
        if stored.origin != checkpoint.origin {
            let detail = format!("a stored checkpoint is of another log: {}", stored.origin);
            report.fault(FaultKind::Checkpoint, detail);
            continue;
        }
        if stored.size > checkpoint.size {
            report.fault(
                FaultKind::Truncated,
                format!(
                    "the log was truncated: a stored checkpoint has {} entries, the checkpoint of \
                     the export has {}",
                    stored.size, checkpoint.size
                ),
            );
        }
        known.push(KnownCheckpoint { checkpoint: stored, stored: true });
    }
    let history = end
        .history
        .iter()
        .filter_map(|note| {
            verify_signature(note, "a checkpoint of the export's history", keys, report)
        })
        .map(|checkpoint| KnownCheckpoint { checkpoint, stored: false });
    known.extend(history);
    known.push(KnownCheckpoint { checkpoint, stored: false });
    known.sort_by_key(|known| known.checkpoint.size);
    Some(known)
}

/// Verifies a checkpoint. Reports a fault unless one of the keys has signed it.
fn verify_signature(
    note: &str,
    label: &str,
    keys: &[Verifier],
    report: &mut Report,
) -> Option<Checkpoint> {
    checkpoint::verify(note, keys)
        .map_err(|error| report.fault(FaultKind::Checkpoint, format!("{label}: {error}")))
        .ok()
}
