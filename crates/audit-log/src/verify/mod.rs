//! Offline verification of a log export, without trust in the server that produced it.
//!
//! An export is lines of JSON: events, then the data about each log entry that is not among them
//! ([`Trailer`]). The verifier hashes each event, computes the root of the tree from the hashes,
//! and compares it with the signed checkpoint and with checkpoints that the auditor stored earlier.
//! No I/O.

mod checkpoints;
mod entries;
mod gaps;
mod line;
mod range;
#[cfg(test)]
mod tests;
mod tree;

use std::{num::NonZero, thread};

use postern_tlog::Verifier;

pub use self::checkpoints::StoredCheckpoint;
use self::{
    checkpoints::Trusted,
    entries::Entries,
    line::{Line, MalformedLine},
};
use crate::{
    export::{End, Trailer},
    report::{FaultKind, Report},
};

/// Verifier of an export, which it takes line by line.
pub struct ExportVerifier {
    /// Whether a partial export is accepted: it omits the entries outside of its filter.
    partial: bool,
    trusted: Trusted,
    /// Number of lines added so far.
    lines: u64,
    /// Number of lines that are an event or begin like a trailer.
    recognized: u64,
    malformed: u64,
    /// Lines that have yet to be parsed, with their numbers.
    batch: Vec<(u64, String)>,
    entries: Entries,
    trailers: Vec<(u64, Trailer)>,
    end: Option<End>,
    /// Whether there are lines after the `end` line.
    continues: bool,
    /// Malformed line after which no line has been added.
    last_malformed: Option<MalformedLine>,
    report: Report,
}

/// Number of lines in a batch, which is hashed on all cores.
const BATCH: usize = 8_192;

impl ExportVerifier {
    /// Creates a verifier. Checkpoints must be signed by one of `keys`. The log must be consistent
    /// with `stored`, the checkpoints that the auditor stored earlier.
    #[must_use]
    pub fn new<S: Into<StoredCheckpoint>>(
        keys: Vec<Verifier>,
        stored: impl IntoIterator<Item = S>,
    ) -> Self {
        let stored = stored.into_iter().map(Into::into).collect();
        Self {
            partial: false,
            trusted: Trusted { keys, stored, current: false },
            lines: 0,
            recognized: 0,
            malformed: 0,
            batch: Vec::new(),
            entries: Entries::default(),
            trailers: Vec::new(),
            end: None,
            continues: false,
            last_malformed: None,
            report: Report::default(),
        }
    }

    /// Accepts a partial export.
    #[must_use]
    pub const fn accept_partial(mut self) -> Self {
        self.partial = true;
        self
    }

    /// States that the export was made after all stored checkpoints: a smaller log is truncated.
    #[must_use]
    pub const fn current(mut self) -> Self {
        self.trusted.current = true;
        self
    }

    /// Adds the next line of the export.
    pub fn line(&mut self, line: String) {
        self.lines += 1;
        if !line.trim().is_empty() {
            self.batch.push((self.lines, line));
        }
        if self.batch.len() >= BATCH {
            self.add_batch();
        }
    }

    /// Verifies the lines added so far as a whole export. `None` if no line is an event or a
    /// trailer: the file is not an export.
    #[must_use]
    pub fn finish(mut self) -> Option<Report> {
        self.add_batch();
        if self.recognized == 0 {
            return None;
        }
        for (number, trailer) in std::mem::take(&mut self.trailers) {
            self.entries.add_trailer(number, trailer, &mut self.report);
        }
        match self.end.take() {
            Some(end) => {
                self.report_malformed();
                self.verify_log(&end);
            }
            None => self.report_missing_end(),
        }
        Some(self.report)
    }

    fn report_malformed(&mut self) {
        if let Some(MalformedLine { detail, .. }) = self.last_malformed.take() {
            self.report.fault(FaultKind::Malformed, detail);
        }
    }

    /// Reports that the export is cut off, unless its last line is an `end` line with a fault.
    fn report_missing_end(&mut self) {
        let position = match &self.last_malformed {
            Some(line) if line.is_cut_off => format!("in line {}", line.number),
            last => {
                let is_end = last.as_ref().is_some_and(|line| line.is_end);
                self.report_malformed();
                if is_end {
                    return;
                }
                format!("after line {}", self.lines)
            }
        };
        let detail = format!(
            "the export is cut off {position}: it has no `end` line. The download was interrupted, \
             or is still running"
        );
        self.report.fault(FaultKind::Incomplete, detail);
    }

    /// Parses and hashes the lines of the batch, and adds them.
    fn add_batch(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let share =
            batch.len().div_ceil(thread::available_parallelism().map_or(1, NonZero::get)).max(1);
        let parsed: Vec<Vec<Line>> = thread::scope(|scope| {
            let threads: Vec<_> = batch
                .chunks(share)
                .map(|lines| {
                    scope.spawn(|| {
                        lines.iter().map(|(number, line)| line::parse(*number, line)).collect()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("parsing a line does not panic"))
                .collect()
        });
        for line in parsed.into_iter().flatten() {
            self.add(line);
        }
    }

    fn add(&mut self, line: Line) {
        self.report_malformed();
        if self.end.is_some() && !self.continues {
            self.continues = true;
            let detail = "the export has lines after its `end` line";
            self.report.fault(FaultKind::Malformed, detail);
        }
        match line {
            Line::Event(event) => {
                self.recognized += 1;
                self.entries.add_event(*event, &mut self.report);
            }
            Line::Trailer { number, trailer, unknown } => {
                self.recognized += 1;
                if !unknown.is_empty() {
                    let detail = format!(
                        "line {number}: nothing verifies the unknown field(s) {}",
                        unknown.join(", ")
                    );
                    self.report.fault(FaultKind::Unsupported, detail);
                }
                match trailer {
                    Trailer::End(end) => self.end = Some(end),
                    trailer => self.trailers.push((number, trailer)),
                }
            }
            Line::Malformed(line) => {
                self.recognized += u64::from(line.is_trailer);
                self.malformed += 1;
                self.last_malformed = Some(line);
            }
        }
    }

    /// Compares the number of events, the tree and its gaps with the `end` line.
    fn verify_log(&mut self, end: &End) {
        let report = &mut self.report;
        // A malformed line may be an event; it is reported.
        if !(report.events..=report.events + self.malformed).contains(&end.events) {
            let (stated, counted) = (end.events, report.events);
            report.fault(
                FaultKind::Malformed,
                format!("the `end` line states {stated} events, but the export has {counted}"),
            );
        }
        if let Some(filter) = end.filter.as_ref().filter(|_| !self.partial) {
            report.fault(
                FaultKind::Incomplete,
                format!(
                    "the export is partial: entries outside of the filter {filter} are omitted and \
                     cannot be verified"
                ),
            );
        }
        let Some(known) = self.trusted.verify(end, report) else { return };
        let (size, whole) = (report.size, end.filter.is_none());
        self.entries.check_newer(size, whole, report);
        let gaps = tree::verify(&self.entries, &known, size, report);
        gaps.explain(&self.entries, whole, report);
    }
}
