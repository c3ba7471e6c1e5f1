//! The Merkle tree of an export, computed entry by entry, and compared with each known checkpoint
//! at its size.

use std::{iter::Peekable, slice};

use postern_tlog::{Frontier, Hash};

use super::{
    checkpoints::KnownCheckpoint,
    entries::{Entries, Entry},
    gaps::Gaps,
    range,
};
use crate::report::{FaultKind, Report};

struct Tree<'a> {
    entries: &'a Entries,
    computed: Frontier,
    /// Checkpoints that have yet to be compared, smallest first.
    checkpoints: Peekable<slice::Iter<'a, KnownCheckpoint>>,
    /// Size of the largest checkpoint that matched.
    matched: u64,
}

/// A checkpoint does not match: the rest of the tree is not compared.
struct Mismatch;

/// Computes the tree of `size` entries and compares it with the known checkpoints, the largest of
/// which can exceed `size`. Returns the entries without an event.
pub fn verify(
    entries: &Entries,
    known: &[KnownCheckpoint],
    size: u64,
    report: &mut Report,
) -> Gaps {
    let mut gaps = Gaps::default();
    let mut tree = Tree {
        entries,
        computed: Frontier::default(),
        checkpoints: known.iter().peekable(),
        matched: 0,
    };
    let compared = tree.compute(size, &mut gaps, report);
    if compared.is_ok() {
        tree.check_whole(size, report);
    }
    gaps
}

impl Tree<'_> {
    /// Appends the entries as far as they follow each other.
    fn compute(&mut self, size: u64, gaps: &mut Gaps, report: &mut Report) -> Result<(), Mismatch> {
        self.compare(report)?;
        for (index, entry) in self.entries.below(size) {
            let next = self.computed.size();
            if index < next {
                let detail = format!("entry {index} is also part of a subtree of the export");
                report.fault(FaultKind::Malformed, detail);
                continue;
            }
            let (level, hash) = entry.node();
            // With a node that extends beyond the tree, the signed root would never be compared.
            let fits = next + (1 << level) <= size;
            if index > next || !fits || !self.computed.append_subtree(level, hash) {
                break;
            }
            match entry {
                Entry::Event { .. } => {}
                Entry::Leaf { event, .. } => gaps.add(index, index + 1, Some(event)),
                Entry::Subtree { level, .. } => gaps.add(index, index + (1 << level), None),
            }
            self.compare(report)?;
        }
        Ok(())
    }

    /// Compares the root with the checkpoints up to the size of the computed tree.
    fn compare(&mut self, report: &mut Report) -> Result<(), Mismatch> {
        let size = self.computed.size();
        while let Some(KnownCheckpoint { checkpoint, stored }) =
            self.checkpoints.next_if(|known| known.checkpoint.size <= size)
        {
            if checkpoint.size < size {
                if let Some(name) = stored {
                    report.fault(
                        FaultKind::Incomplete,
                        format!(
                            "{name} ({} entries) cannot be compared: it ends inside a subtree that \
                             the export contains only as one hash. Verify it with `consistency`",
                            checkpoint.size
                        ),
                    );
                }
            } else if checkpoint.root == self.computed.root() {
                self.matched = size;
            } else {
                let kind = stored.as_ref().map_or(FaultKind::Root, |_| FaultKind::Rewritten);
                report.fault(kind, self.mismatch(stored.as_deref().unwrap_or("the signed root")));
                return Err(Mismatch);
            }
        }
        Ok(())
    }

    /// Describes the entries between the last matching checkpoint and one that does not match.
    fn mismatch(&self, root: &str) -> String {
        let (from, to) = (self.matched, self.computed.size());
        if to == 0 {
            return format!("{root} of the empty log is wrong");
        }
        let entries = range::entries(from, to);
        let id = self.entries.event_at(from);
        let first = id.map_or_else(String::new, |id| format!(" (from event {id} on)"));
        format!(
            "{root} does not match {entries}{first}: an entry was altered, added, removed or moved"
        )
    }

    /// Reports where the computed tree ends, if that is before `size`.
    fn check_whole(&self, size: u64, report: &mut Report) {
        let from = self.computed.size();
        if from < size {
            let next = self.entries.next_index(from).unwrap_or(size).max(from + 1).min(size);
            let entries = range::entries_are(from, next);
            report.fault(
                FaultKind::Missing,
                format!("{entries} missing, so that the tree cannot be computed"),
            );
        } else if self.matched != size {
            report.fault(FaultKind::Root, "the tree was not compared with a signed root");
        }
    }
}

impl Entry {
    /// Level and hash of the node of the tree.
    const fn node(&self) -> (u8, Hash) {
        match self {
            Self::Event { leaf, .. } => (0, *leaf),
            Self::Leaf { hash, .. } => (0, *hash),
            Self::Subtree { level, hash } => (*level, *hash),
        }
    }
}
