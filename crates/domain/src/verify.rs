//! Offline verification of a log export, without trust in the server that produced it.
//!
//! An export is lines of JSON: events, then the data about each log entry that is not among them
//! ([`Trailer`](crate::export::Trailer)). The verifier hashes each event, computes the root of the
//! tree from the hashes, and compares it with the signed checkpoint and with checkpoints that the
//! auditor stored earlier. No I/O.

mod line;

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    thread,
};

use postern_tlog::{Checkpoint, Frontier, Hash, Note, Verifier};

use self::line::{Line, RemovalNotice};
use crate::export::{End, Trailer};

/// A fault found in an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable identifier: `altered`, `added`, `missing`, `duplicate`, `root`, `checkpoint`,
    /// `rewritten`, `truncated` or `incomplete`.
    pub kind: &'static str,
    /// Description of the fault and of its place in the log.
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
    pub left_out: u64,
    /// Number of entries without their event because of retention, as recorded in the log itself.
    pub retired: u64,
    /// Number of events that have yet to be added to the log.
    pub waiting: u64,
    /// Number of events that were added to the log after the checkpoint.
    pub newer: u64,
    pub faults: Vec<Fault>,
}

/// Verifier of an export, which it takes line by line.
pub struct ExportVerifier {
    /// Whether a partial export is accepted: it omits the entries outside of its filter.
    part: bool,
    keys: Vec<Verifier>,
    kept: Vec<String>,
    pending: Vec<String>,
    entries: BTreeMap<u64, Entry>,
    trailers: Vec<Trailer>,
    /// Removals that the log itself records, by the index of the recording entry.
    notices: BTreeMap<u64, RemovalNotice>,
    ended: bool,
    report: Report,
}

/// An entry or a subtree, by hash.
enum Entry {
    Event { id: String, leaf: Hash },
    Gone { event: String, hash: Hash },
    Subtree { level: u8, hash: Hash },
}

/// Number of lines in a batch, which is hashed on all cores.
const LINES: usize = 8_192;

impl ExportVerifier {
    /// Creates a verifier. Checkpoints must be signed by one of `keys`. The log must be consistent
    /// with `kept`, the checkpoints that the auditor stored earlier.
    #[must_use]
    pub fn new(keys: Vec<Verifier>, kept: Vec<String>) -> Self {
        Self {
            part: false,
            keys,
            kept,
            pending: Vec::new(),
            entries: BTreeMap::new(),
            trailers: Vec::new(),
            notices: BTreeMap::new(),
            ended: false,
            report: Report::default(),
        }
    }

    /// Accepts a partial export.
    #[must_use]
    pub const fn of_a_part(mut self) -> Self {
        self.part = true;
        self
    }

    /// Adds the next line of the export.
    pub fn line(&mut self, line: String) {
        if !line.trim().is_empty() {
            self.pending.push(line);
        }
        if self.pending.len() >= LINES {
            self.hash();
        }
    }

    /// Hashes the pending lines and processes the results.
    fn hash(&mut self) {
        let lines = std::mem::take(&mut self.pending);
        let share =
            lines.len().div_ceil(thread::available_parallelism().map_or(1, NonZero::get)).max(1);
        let read: Vec<Vec<Line>> = thread::scope(|scope| {
            let parts: Vec<_> = lines
                .chunks(share)
                .map(|part| scope.spawn(|| part.iter().map(|line| line::read(line)).collect()))
                .collect();
            parts
                .into_iter()
                .map(|part| part.join().expect("reading a line does not panic"))
                .collect()
        });
        for line in read.into_iter().flatten() {
            self.note(line);
        }
    }

    fn note(&mut self, line: Line) {
        if self.ended {
            self.fault("incomplete", "the export has lines after its `end` line".to_owned());
        }
        match line {
            Line::Unreadable(error) => self.fault(
                "incomplete",
                format!("a line is neither an event nor a trailer line: {error}"),
            ),
            Line::Forged(detail) => {
                self.report.events += 1;
                self.fault("altered", detail);
            }
            Line::Trailer(Trailer::End(end)) => {
                self.ended = true;
                self.trailers.push(Trailer::End(end));
            }
            Line::Trailer(trailer) => self.trailers.push(trailer),
            Line::Event { id, origin, index, pending, erased, leaf, recorded, notice } => {
                self.report.events += 1;
                if erased {
                    self.report.erased.push(id.clone());
                }
                let Some(index) = index else {
                    if pending {
                        self.report.waiting += 1;
                    } else {
                        self.fault(
                            "added",
                            format!("event {id} was added: it has no index and is not pending"),
                        );
                    }
                    return;
                };
                if recorded.as_ref().is_none_or(|recorded| *recorded != leaf.to_base64()) {
                    self.fault(
                        "altered",
                        format!(
                            "event {id} (entry {index}) was altered: it does not match its leaf"
                        ),
                    );
                }
                if self.report.origin.is_empty() {
                    self.report.origin = origin.unwrap_or_default();
                } else if origin.as_ref() != Some(&self.report.origin) {
                    self.fault(
                        "added",
                        format!(
                            "event {id} belongs to another log: {}",
                            origin.unwrap_or_default()
                        ),
                    );
                    return;
                }
                // Only an unaltered event explains missing entries.
                if let Some(notice) =
                    notice.filter(|_| recorded.as_ref() == Some(&leaf.to_base64()))
                {
                    self.notices.insert(index, notice);
                }
                // The tree is computed from the log's leaves; altered events are reported above.
                let leaf =
                    recorded.and_then(|recorded| Hash::from_base64(&recorded)).unwrap_or(leaf);
                if let Some(Entry::Event { id: other, .. }) =
                    self.entries.insert(index, Entry::Event { id: id.clone(), leaf })
                {
                    self.fault(
                        "duplicate",
                        format!("events {other} and {id} both claim entry {index}"),
                    );
                }
            }
        }
    }

    fn fault(&mut self, kind: &'static str, detail: String) {
        self.report.faults.push(Fault { kind, detail });
    }

    /// Verifies the lines added so far as a whole export.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.hash();
        let mut end = None;
        let mut lost = Vec::new();
        for trailer in std::mem::take(&mut self.trailers) {
            match trailer {
                Trailer::Leaf { index, hash, event } => match Hash::from_base64(&hash) {
                    Some(hash) => {
                        self.entries.entry(index).or_insert(Entry::Gone { event, hash });
                    }
                    None => {
                        self.fault("incomplete", format!("the hash of entry {index} is malformed"))
                    }
                },
                Trailer::Node { level, index, hash } => {
                    match (Hash::from_base64(&hash), first_under(level, index)) {
                        (Some(hash), Some(first)) => drop(
                            self.entries.entry(first).or_insert(Entry::Subtree { level, hash }),
                        ),
                        _ => self.fault(
                            "incomplete",
                            format!("node {index} of level {level} is invalid"),
                        ),
                    }
                }
                Trailer::Lost { from, to } if from < to => lost.push((from, to)),
                Trailer::Lost { .. } => {
                    self.fault("incomplete", "a range of lost entries is empty".to_owned())
                }
                Trailer::End(last) => end = Some(last),
            }
        }
        for (from, to) in lost {
            self.fault(
                "missing",
                format!("{} missing, and so are their hashes", entries_words(from, to)),
            );
        }
        match end {
            Some(end) => self.check_checkpoints(&end),
            None => {
                self.fault("incomplete", "the export was cut off: it has no `end` line".to_owned())
            }
        }
        self.report
    }

    fn check_checkpoints(&mut self, end: &End) {
        if end.events != self.report.events {
            let (stated, counted) = (end.events, self.report.events);
            self.fault(
                "incomplete",
                format!("the `end` line states {stated} events, but the export has {counted}"),
            );
        }
        if let Some(filter) = end.filter.as_ref().filter(|_| !self.part) {
            self.fault(
                "incomplete",
                format!(
                    "the export is partial: entries outside of the filter {filter} are omitted and \
                     cannot be verified"
                ),
            );
        }
        let Some(checkpoint) = self.signed(&end.checkpoint, "the checkpoint of the export") else {
            return;
        };
        if checkpoint.origin != end.origin
            || (!self.report.origin.is_empty() && checkpoint.origin != self.report.origin)
        {
            self.fault(
                "checkpoint",
                format!("the checkpoint is of another log: {}", checkpoint.origin),
            );
        }
        self.report.origin.clone_from(&checkpoint.origin);
        self.report.size = checkpoint.size;
        let mut known: Vec<(Checkpoint, bool)> = Vec::new();
        for note in std::mem::take(&mut self.kept) {
            match self.signed(&note, "a stored checkpoint") {
                Some(kept) if kept.origin == checkpoint.origin => known.push((kept, true)),
                Some(kept) => self.fault(
                    "checkpoint",
                    format!("a stored checkpoint is of another log: {}", kept.origin),
                ),
                None => {}
            }
        }
        for (kept, _) in &known {
            if kept.size > checkpoint.size {
                let (before, now) = (kept.size, checkpoint.size);
                self.report.faults.push(Fault {
                    kind: "truncated",
                    detail: format!(
                        "the log was truncated: a stored checkpoint has {before} entries, the \
                         checkpoint of the export has {now}"
                    ),
                });
            }
        }
        known.extend(
            end.history
                .iter()
                .filter_map(|note| self.signed(note, "a checkpoint of the export's history"))
                .map(|checkpoint| (checkpoint, false)),
        );
        known.push((checkpoint, false));
        known.sort_by_key(|(checkpoint, _)| checkpoint.size);
        self.rebuild_tree(&known, end.filter.is_none());
    }

    /// Parses a checkpoint. Returns it if one of the keys has signed it, and otherwise reports a
    /// fault.
    fn signed(&mut self, note: &str, which: &str) -> Option<Checkpoint> {
        let read = Note::parse(note).and_then(|note| Ok((Checkpoint::of(&note)?, note)));
        let (checkpoint, note) = match read {
            Ok(read) => read,
            Err(error) => {
                self.fault("checkpoint", format!("{which} cannot be read: {error}"));
                return None;
            }
        };
        // A key signs several logs under different names: the name must be that of the log.
        let results: Vec<_> = self
            .keys
            .iter()
            .filter(|key| key.name() == checkpoint.origin)
            .map(|key| note.verify(key))
            .collect();
        if results.iter().any(Result::is_ok) {
            return Some(checkpoint);
        }
        let reason = results.into_iter().find_map(Result::err).map_or_else(
            || format!("none of your keys has the name {}", checkpoint.origin),
            |error| error.to_string(),
        );
        self.fault(
            "checkpoint",
            format!(
                "{which} ({} entries) is not signed by one of your keys: {reason}",
                checkpoint.size
            ),
        );
        None
    }

    /// Computes the tree entry by entry, and compares its root with each checkpoint at that size.
    fn rebuild_tree(&mut self, known: &[(Checkpoint, bool)], whole: bool) {
        let size = self.report.size;
        let mut tree = Frontier::default();
        let (mut agreed, mut unknown_from) = (0, None);
        let mut gaps: Vec<(u64, u64, BTreeSet<String>)> = Vec::new();
        let mut checks = known.iter().peekable();
        let entries = std::mem::take(&mut self.entries);
        self.report.newer = entries.range(size..).count() as u64;
        let gap =
            entries.range(size..).zip(size..).find(|((index, _), expected)| *index != expected);
        // A partial export may omit some of these, too.
        if let Some(((index, _), expected)) = gap.filter(|_| whole) {
            self.fault(
                "added",
                format!(
                    "after the checkpoint, entry {index} follows where entry {expected} is expected"
                ),
            );
        }
        for (index, entry) in entries.range(..size) {
            if *index != tree.size() {
                unknown_from.get_or_insert(tree.size());
                break;
            }
            let (level, hash) = match entry {
                Entry::Event { leaf, .. } => (0, *leaf),
                Entry::Gone { event, hash } => {
                    note_gap(&mut gaps, *index, index + 1, Some(event));
                    (0, *hash)
                }
                Entry::Subtree { level, hash } => {
                    note_gap(&mut gaps, *index, index + (1 << level), None);
                    (*level, *hash)
                }
            };
            // With a node that extends beyond the tree, the signed root would never be compared.
            if tree.size() + (1 << level) > size || !tree.append_subtree(level, hash) {
                unknown_from.get_or_insert(tree.size());
                break;
            }
            while let Some((checkpoint, kept)) =
                checks.next_if(|(checkpoint, _)| checkpoint.size <= tree.size())
            {
                if checkpoint.size < tree.size() {
                    if *kept {
                        let detail = format!(
                            "a stored checkpoint ({} entries) ends inside a subtree that the \
                             export contains only as one hash",
                            checkpoint.size
                        );
                        self.fault("incomplete", detail);
                    }
                    continue;
                }
                if checkpoint.root == tree.root() {
                    agreed = checkpoint.size;
                    continue;
                }
                let first = id_of(&entries, agreed);
                let range = entries_between(agreed, checkpoint.size);
                let kind = if *kept { "rewritten" } else { "root" };
                let root = if *kept { "a stored checkpoint" } else { "the signed root" };
                self.fault(
                    kind,
                    format!(
                        "{root} does not match {range}{first}: an entry was altered, added, \
                         removed or moved"
                    ),
                );
                self.explain_gaps(&gaps, whole);
                return;
            }
        }
        if size > 0 && tree.size() == size && agreed != size {
            self.fault("root", "the tree was not compared with a signed root".to_owned());
        }
        if tree.size() < size && unknown_from.is_none() {
            unknown_from = Some(tree.size());
        }
        if let Some(from) = unknown_from {
            let next = entries
                .range(from..)
                .next()
                .map_or(size, |(index, _)| (*index).max(from + 1).min(size));
            self.fault(
                "missing",
                format!(
                    "{} missing, so that the tree cannot be computed",
                    entries_words(from, next)
                ),
            );
        } else if size == 0
            && known.iter().any(|(checkpoint, _)| {
                checkpoint.size == 0 && checkpoint.root != Hash::of_nothing()
            })
        {
            self.fault("root", "the checkpoint of an empty log has a wrong root".to_owned());
        }
        self.explain_gaps(&gaps, whole);
    }

    /// Explains entries without an event: omitted by the filter, removed by retention, or missing.
    fn explain_gaps(&mut self, gaps: &[(u64, u64, BTreeSet<String>)], whole: bool) {
        if !whole {
            self.report.left_out = gaps.iter().map(|(from, to, _)| to - from).sum();
            return;
        }
        let (mut first_kept, mut retired, mut erased) = (0, 0, 0);
        for (index, notice) in self.notices.range(..self.report.size) {
            match notice {
                RemovalNotice::Retired { events, first_kept: before } => {
                    first_kept = first_kept.max(*before.min(index));
                    retired += events;
                }
                RemovalNotice::Erased { events } => erased += events,
            }
        }
        for (from, to, events) in gaps {
            if *to <= first_kept {
                self.report.retired += to - from;
            } else {
                let named: Vec<&str> = events.iter().map(String::as_str).collect();
                let named = if named.is_empty() {
                    String::new()
                } else {
                    format!(": {}", named.join(", "))
                };
                self.fault(
                    "missing",
                    format!(
                        "{} missing: the export has only the leaf hashes{named}",
                        entries_words(*from, *to)
                    ),
                );
            }
        }
        if self.report.retired > retired {
            let count = self.report.retired;
            self.fault(
                "missing",
                format!("{count} entries have no event, but the log records {retired} as expired"),
            );
        }
        if self.report.erased.len() as u64 > erased {
            let count = self.report.erased.len();
            self.fault(
                "altered",
                format!(
                    "{count} events have erased fields, but the log records {erased} as erased"
                ),
            );
        }
    }
}

/// Index of the first entry under a node. `None` if the node cannot exist.
fn first_under(level: u8, index: u64) -> Option<u64> {
    let width = (level < 63).then(|| 1_u64 << level)?;
    index.checked_add(1)?.checked_mul(width)?;
    Some(index * width)
}

fn note_gap(
    gaps: &mut Vec<(u64, u64, BTreeSet<String>)>,
    from: u64,
    to: u64,
    event: Option<&String>,
) {
    match gaps.last_mut() {
        Some((_, end, events)) if *end == from => {
            *end = to;
            events.extend(event.cloned());
        }
        _ => gaps.push((from, to, event.cloned().into_iter().collect())),
    }
}

/// Id of the event at `index`, in parentheses, to locate a mismatch.
fn id_of(entries: &BTreeMap<u64, Entry>, index: u64) -> String {
    match entries.get(&index) {
        Some(Entry::Event { id, .. }) => format!(" (from event {id} on)"),
        _ => String::new(),
    }
}

fn entries_between(from: u64, to: u64) -> String {
    if to - from == 1 { format!("entry {from}") } else { format!("entries {from} to {}", to - 1) }
}

fn entries_words(from: u64, to: u64) -> String {
    if to - from == 1 {
        format!("entry {from} is")
    } else {
        format!("entries {from} to {} are", to - 1)
    }
}
