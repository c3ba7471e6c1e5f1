//! Entries of the log that an export accounts for, as events or as hashes.

use std::collections::{BTreeMap, btree_map};

use postern_tlog::Hash;

use super::{
    line::{EventLine, RemovalNotice},
    range::entries_are,
};
use crate::{
    entry::LeafError,
    export::Trailer,
    report::{FaultKind, Report},
};

/// An entry or a subtree, by hash.
pub enum Entry {
    Event {
        id: String,
        leaf: Hash,
    },
    /// An entry without its event.
    Leaf {
        event: String,
        hash: Hash,
    },
    Subtree {
        level: u8,
        hash: Hash,
    },
}

/// Entries and subtrees by their first index.
#[derive(Default)]
pub struct Entries {
    by_index: BTreeMap<u64, Entry>,
    /// Removals that the log itself records, by the index of the recording entry.
    notices: BTreeMap<u64, RemovalNotice>,
}

impl Entries {
    /// Entries of the tree of `size` entries.
    pub fn below(&self, size: u64) -> impl Iterator<Item = (u64, &Entry)> {
        self.by_index.range(..size).map(|(index, entry)| (*index, entry))
    }

    /// Recorded removals, with the indexes of the recording entries, below `size`.
    pub fn notices_below(&self, size: u64) -> impl Iterator<Item = (u64, &RemovalNotice)> {
        self.notices.range(..size).map(|(index, notice)| (*index, notice))
    }

    /// Index of the first entry from `index` on.
    pub fn next_index(&self, index: u64) -> Option<u64> {
        self.by_index.range(index..).next().map(|(index, _)| *index)
    }

    /// Id of the event at `index`.
    pub fn event_at(&self, index: u64) -> Option<&str> {
        match self.by_index.get(&index) {
            Some(Entry::Event { id, .. }) => Some(id),
            _ => None,
        }
    }

    pub fn add_event(&mut self, event: EventLine, report: &mut Report) {
        report.events += 1;
        if event.erased {
            report.erased.push(event.id.clone());
        }
        let is_covered = check_content(&event, report);
        let EventLine { number, id, origin, index, pending, leaf, recorded, notice, .. } = event;
        let Some(index) = index else {
            if pending {
                report.pending += 1;
            } else {
                let detail = "was added: it has no index and is not pending";
                report.fault(FaultKind::Added, format!("line {number}: event {id} {detail}"));
            }
            return;
        };
        if report.origin.is_empty() {
            report.origin = origin.unwrap_or_default();
        } else if origin.as_ref() != Some(&report.origin) {
            let other = origin.unwrap_or_default();
            let detail = format!("line {number}: event {id} belongs to another log: {other}");
            report.fault(FaultKind::Added, detail);
            return;
        }
        // Only an unaltered event explains missing entries.
        self.notices.extend(notice.filter(|_| is_covered).map(|notice| (index, notice)));
        // The tree is computed from the log's leaves; altered events are reported above.
        let leaf = recorded.and_then(|recorded| Hash::from_base64(&recorded)).unwrap_or(leaf);
        let entry = Entry::Event { id: id.clone(), leaf };
        if let Some(Entry::Event { id: other, .. }) = self.by_index.insert(index, entry) {
            report.fault(
                FaultKind::Duplicate,
                format!("line {number}: events {other} and {id} both claim entry {index}"),
            );
        }
    }

    /// Adds the hashes of entries that are not exported as events.
    pub fn add_trailer(&mut self, number: u64, trailer: Trailer, report: &mut Report) {
        let added = match trailer {
            Trailer::Leaf { index, hash, event } => Hash::from_base64(&hash)
                .ok_or_else(|| format!("the hash of entry {index} is malformed"))
                .and_then(|hash| self.add_hash(index, Entry::Leaf { event, hash })),
            Trailer::Node { level, index, hash } => Hash::from_base64(&hash)
                .zip(first_below(level, index))
                .ok_or_else(|| format!("node {index} of level {level} is invalid"))
                .and_then(|(hash, first)| self.add_hash(first, Entry::Subtree { level, hash })),
            Trailer::Lost { from, to } if from < to => {
                let entries = entries_are(from, to);
                let detail = format!("line {number}: {entries} missing, and so are their hashes");
                report.fault(FaultKind::Missing, detail);
                Ok(())
            }
            Trailer::Lost { .. } => Err("a range of lost entries is empty".to_owned()),
            // Compared with the whole export by the verifier.
            Trailer::End(_) => Ok(()),
        };
        if let Err(detail) = added {
            report.fault(FaultKind::Malformed, format!("line {number}: {detail}"));
        }
    }

    /// Adds the hash of entries without an event, the first of which is `index`.
    fn add_hash(&mut self, index: u64, entry: Entry) -> Result<(), String> {
        match self.by_index.entry(index) {
            btree_map::Entry::Vacant(vacant) => drop(vacant.insert(entry)),
            btree_map::Entry::Occupied(existing) => {
                return Err(match existing.get() {
                    Entry::Event { id, .. } => {
                        format!("entry {index} has a hash, but its event {id} is exported")
                    }
                    _ => format!("entry {index} has two hashes"),
                });
            }
        }
        Ok(())
    }

    /// Counts the entries beyond the checkpoint. In a whole export they follow without a gap; a
    /// partial export may omit some of these, too.
    pub fn check_newer(&self, size: u64, whole: bool, report: &mut Report) {
        let newer = || self.by_index.range(size..);
        report.newer = newer().count() as u64;
        let gap = newer().zip(size..).find(|((index, _), expected)| *index != expected);
        if let Some(((index, _), expected)) = gap.filter(|_| whole) {
            report.fault(
                FaultKind::Added,
                format!(
                    "after the checkpoint, entry {index} follows where entry {expected} is expected"
                ),
            );
        }
    }
}

/// Reports an event that differs from its log entry. Returns whether its entry covers it.
fn check_content(event: &EventLine, report: &mut Report) -> bool {
    let EventLine { number, id, index, leaf, recorded, objection, .. } = event;
    if let Some(objection) = objection {
        let kind = match objection {
            LeafError::Version { .. } => FaultKind::Unsupported,
            LeafError::Pending { .. } => FaultKind::Malformed,
            _ => FaultKind::Altered,
        };
        report.fault(kind, format!("line {number}: {objection}"));
        return false;
    }
    let Some(index) = index else { return true };
    let is_unaltered = recorded.as_ref() == Some(&leaf.to_base64());
    if !is_unaltered {
        let detail = format!(
            "line {number}: event {id} (entry {index}) was altered: it does not match its leaf"
        );
        report.fault(FaultKind::Altered, detail);
    }
    is_unaltered
}

/// Index of the first entry below a node. `None` if the node cannot exist.
fn first_below(level: u8, index: u64) -> Option<u64> {
    let width = (level < 63).then(|| 1_u64 << level)?;
    index.checked_add(1)?.checked_mul(width)?;
    Some(index * width)
}
