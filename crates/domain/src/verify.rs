//! Checking a log: what somebody does who has an export and trusts nobody, least of all who made it.
//!
//! An export is lines of JSON: events, and then what is needed to account for each entry of the log that is not among them
//! ([`Trailer`](crate::export::Trailer)). Each event is hashed anew; the hashes are put together to the root of the tree; the root is compared with the signed
//! checkpoint, and with those that somebody has kept from before. Nothing here reads a file or asks a server.

mod line;

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    thread,
};

use postern_tlog::{Checkpoint, Frontier, Hash, Note, Verifier};

use self::line::{Line, RemovalNotice};
use crate::export::{End, Trailer};

/// Something that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A stable word for machines: `altered`, `added`, `missing`, `twice`, `root`, `checkpoint`, `rewritten`, `truncated`, `incomplete`.
    pub kind: &'static str,
    /// What, and where, in words.
    pub detail: String,
}

/// What came of checking a log.
#[derive(Debug, Default)]
pub struct Report {
    pub origin: String,
    /// How many entries the log has according to its checkpoint.
    pub size: u64,
    pub events: u64,
    /// Events of which something has been erased: still what was recorded, as far as it is there.
    pub erased: Vec<String>,
    /// How many entries were left out because another range or kind of event was asked for.
    pub left_out: u64,
    /// How many have been removed when their time was over, as the log itself says.
    pub retired: u64,
    /// Events that wait for their place in the log.
    pub waiting: u64,
    /// Events that have their place, but one after the checkpoint.
    pub newer: u64,
    pub faults: Vec<Fault>,
}

/// Reads an export line by line, and judges it at the end.
pub struct ExportVerifier {
    /// Whether a part of a log will do: what was not asked for is then not missed.
    part: bool,
    keys: Vec<Verifier>,
    kept: Vec<String>,
    pending: Vec<String>,
    entries: BTreeMap<u64, Entry>,
    trailers: Vec<Trailer>,
    /// What the log itself says has been removed from it, by the number of the entry that says so.
    notices: BTreeMap<u64, RemovalNotice>,
    ended: bool,
    report: Report,
}

/// An entry of the tree, by hash.
enum Entry {
    Event { id: String, leaf: Hash },
    Gone { event: String, hash: Hash },
    Subtree { level: u8, hash: Hash },
}

/// So many lines are hashed at a time, on all cores.
const LINES: usize = 8_192;

impl ExportVerifier {
    /// `keys`: whom checkpoints of the log must be signed by, one of them. `kept`: checkpoints from before, which the log must still begin with.
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

    /// Takes a part of a log for what it is.
    #[must_use]
    pub const fn of_a_part(mut self) -> Self {
        self.part = true;
        self
    }

    /// Takes the next line of an export.
    pub fn line(&mut self, line: String) {
        if !line.trim().is_empty() {
            self.pending.push(line);
        }
        if self.pending.len() >= LINES {
            self.hash();
        }
    }

    /// Hashes the lines that are waiting, and notes what they say.
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
            self.fault(
                "incomplete",
                "there is something behind the last line of the export".to_owned(),
            );
        }
        match line {
            Line::Unreadable(why) => self.fault(
                "incomplete",
                format!("a line is neither an event nor a part of the trailer: {why}"),
            ),
            Line::Forged(what) => {
                self.report.events += 1;
                self.fault("altered", what);
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
                        self.fault("added", format!("event {id} was added: it has no index in the log, and does not wait for one"));
                    }
                    return;
                };
                if recorded.as_ref().is_none_or(|recorded| *recorded != leaf.to_base64()) {
                    self.fault(
                        "altered",
                        format!(
                            "event {id} (entry {index}) was altered: it is not what was recorded"
                        ),
                    );
                }
                if self.report.origin.is_empty() {
                    self.report.origin = origin.unwrap_or_default();
                } else if origin.as_ref() != Some(&self.report.origin) {
                    self.fault(
                        "added",
                        format!("event {id} stands in another log: {}", origin.unwrap_or_default()),
                    );
                    return;
                }
                // Only what the log vouches for speaks for what is missing.
                if let Some(notice) =
                    notice.filter(|_| recorded.as_ref() == Some(&leaf.to_base64()))
                {
                    self.notices.insert(index, notice);
                }
                // The tree is put together from what the log says it has; what was altered is named already.
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

    /// Judges what has been read.
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
                    None => self.fault("incomplete", format!("the hash of entry {index} is none")),
                },
                Trailer::Node { level, index, hash } => {
                    match (Hash::from_base64(&hash), first_under(level, index)) {
                        (Some(hash), Some(first)) => drop(
                            self.entries.entry(first).or_insert(Entry::Subtree { level, hash }),
                        ),
                        _ => self
                            .fault("incomplete", format!("node {index} of level {level} is none")),
                    }
                }
                Trailer::Lost { from, to } if from < to => lost.push((from, to)),
                Trailer::Lost { .. } => self.fault(
                    "incomplete",
                    "what is said to be lost ends before it begins".to_owned(),
                ),
                Trailer::End(told) => end = Some(told),
            }
        }
        for (from, to) in lost {
            self.fault(
                "missing",
                format!("{} missing, and so is what the log knew of them", entries_words(from, to)),
            );
        }
        match end {
            Some(end) => self.check_checkpoints(&end),
            None => self
                .fault("incomplete", "the last line is missing: the export was cut off".to_owned()),
        }
        self.report
    }

    fn check_checkpoints(&mut self, end: &End) {
        if end.events != self.report.events {
            let (told, found) = (end.events, self.report.events);
            self.fault(
                "incomplete",
                format!("the last line speaks of {told} events, and there are {found}"),
            );
        }
        if let Some(filter) = end.filter.as_ref().filter(|_| !self.part) {
            self.fault(
                "incomplete",
                format!("this is a part of a log only, as the file itself says: {filter}; whatever is left out is not missed"),
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
            match self.signed(&note, "a checkpoint from before") {
                Some(kept) if kept.origin == checkpoint.origin => known.push((kept, true)),
                Some(kept) => self.fault(
                    "checkpoint",
                    format!("a checkpoint from before is of another log: {}", kept.origin),
                ),
                None => {}
            }
        }
        for (kept, _) in &known {
            if kept.size > checkpoint.size {
                let (before, now) = (kept.size, checkpoint.size);
                self.report.faults.push(Fault {
                    kind: "truncated",
                    detail: format!("the log was cut off: a checkpoint from before speaks of {before} entries, and now there are {now}"),
                });
            }
        }
        known.extend(
            end.history
                .iter()
                .filter_map(|note| self.signed(note, "a checkpoint of the export's history"))
                .map(|one| (one, false)),
        );
        known.push((checkpoint, false));
        known.sort_by_key(|(checkpoint, _)| checkpoint.size);
        self.rebuild_tree(&known, end.filter.is_none());
    }

    /// A checkpoint, if one of the keys has signed it.
    fn signed(&mut self, note: &str, which: &str) -> Option<Checkpoint> {
        let read = Note::parse(note).and_then(|note| Ok((Checkpoint::of(&note)?, note)));
        let (checkpoint, note) = match read {
            Ok(read) => read,
            Err(error) => {
                self.fault("checkpoint", format!("{which} cannot be read: {error}"));
                return None;
            }
        };
        // One key signs many logs under their names, and the name alone says which: it has to be that of the log.
        let named: Vec<_> = self
            .keys
            .iter()
            .filter(|key| key.name() == checkpoint.origin)
            .map(|key| note.verify(key))
            .collect();
        if named.iter().any(Result::is_ok) {
            return Some(checkpoint);
        }
        let results = named;
        let why = results.into_iter().find_map(Result::err).map_or_else(
            || format!("none of them is the key of {}", checkpoint.origin),
            |error| error.to_string(),
        );
        self.fault(
            "checkpoint",
            format!(
                "{which} ({} entries) is not signed by a key that you trust: {why}",
                checkpoint.size
            ),
        );
        None
    }

    /// Puts the tree together from the first entry on, and compares it with every checkpoint on the way.
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
        // What is asked for in part leaves some of those out, too.
        if let Some(((index, _), expected)) = gap.filter(|_| whole) {
            self.fault("added", format!("what is newer than the checkpoint goes on with entry {index}, and not with {expected}"));
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
            // A node that reaches beyond the tree would hide that its root is never reached.
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
                            "a checkpoint from before ({} entries) ends within what is not in this export",
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
                let where_ = entries_between(agreed, checkpoint.size);
                let kind = if *kept { "rewritten" } else { "root" };
                let against = if *kept { "a checkpoint from before" } else { "what was signed" };
                self.fault(
                    kind,
                    format!("{where_}{first} do not agree with {against}: among them something was altered, added, removed or moved"),
                );
                self.explain_gaps(&gaps, whole);
                return;
            }
        }
        if size > 0 && tree.size() == size && agreed != size {
            self.fault("root", "the tree was not compared with what was signed".to_owned());
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
                    "{} missing, and the tree cannot be put together without",
                    entries_words(from, next)
                ),
            );
        } else if size == 0
            && known.iter().any(|(checkpoint, _)| {
                checkpoint.size == 0 && checkpoint.root != Hash::of_nothing()
            })
        {
            self.fault("root", "the checkpoint of an empty log has another root".to_owned());
        }
        self.explain_gaps(&gaps, whole);
    }

    /// Why entries have no event: another was asked for, their time was over, or somebody has taken them away.
    fn explain_gaps(&mut self, gaps: &[(u64, u64, BTreeSet<String>)], whole: bool) {
        if !whole {
            self.report.left_out = gaps.iter().map(|(from, to, _)| to - from).sum();
            return;
        }
        let (mut first_kept, mut told, mut erased) = (0, 0, 0);
        for (index, notice) in self.notices.range(..self.report.size) {
            match notice {
                RemovalNotice::Retired { events, first_kept: before } => {
                    first_kept = first_kept.max(*before.min(index));
                    told += events;
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
                        "{} missing: the log has them, and their events are gone{named}",
                        entries_words(*from, *to)
                    ),
                );
            }
        }
        if self.report.retired > told {
            let gone = self.report.retired;
            self.fault("missing", format!("{gone} entries are without their events, and the log speaks of {told} whose time was over"));
        }
        if self.report.erased.len() as u64 > erased {
            let found = self.report.erased.len();
            self.fault("altered", format!("{found} events have parts that are said to be erased, and the log speaks of {erased}"));
        }
    }
}

/// The first entry under a node, if there can be such a node.
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

/// Which event the doubt begins with.
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
