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

use self::{entries::Entries, line::Line};
use crate::{
    export::{End, Trailer},
    report::{FaultKind, Report},
};

/// Verifier of an export, which it takes line by line.
pub struct ExportVerifier {
    /// Whether a partial export is accepted: it omits the entries outside of its filter.
    partial: bool,
    keys: Vec<Verifier>,
    /// Checkpoints that the auditor stored earlier.
    stored: Vec<String>,
    /// Number of lines added so far.
    lines: u64,
    /// Lines that have yet to be parsed, with their numbers.
    batch: Vec<(u64, String)>,
    entries: Entries,
    trailers: Vec<Trailer>,
    end: Option<End>,
    report: Report,
}

/// Number of lines in a batch, which is hashed on all cores.
const BATCH: usize = 8_192;

impl ExportVerifier {
    /// Creates a verifier. Checkpoints must be signed by one of `keys`. The log must be consistent
    /// with `stored`, the checkpoints that the auditor stored earlier.
    #[must_use]
    pub fn new(keys: Vec<Verifier>, stored: Vec<String>) -> Self {
        Self {
            partial: false,
            keys,
            stored,
            lines: 0,
            batch: Vec::new(),
            entries: Entries::default(),
            trailers: Vec::new(),
            end: None,
            report: Report::default(),
        }
    }

    /// Accepts a partial export.
    #[must_use]
    pub const fn accept_partial(mut self) -> Self {
        self.partial = true;
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

    /// Verifies the lines added so far as a whole export.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.add_batch();
        for trailer in std::mem::take(&mut self.trailers) {
            self.entries.add_trailer(trailer, &mut self.report);
        }
        match self.end.take() {
            Some(end) => self.verify_log(&end),
            None => {
                self.report
                    .fault(FaultKind::Incomplete, "the export was cut off: it has no `end` line");
            }
        }
        self.report
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
        if self.end.is_some() {
            self.report.fault(FaultKind::Incomplete, "the export has lines after its `end` line");
        }
        match line {
            Line::Event(event) => self.entries.add_event(event, &mut self.report),
            Line::Trailer(Trailer::End(end)) => self.end = Some(end),
            Line::Trailer(trailer) => self.trailers.push(trailer),
            Line::Altered(detail) => {
                self.report.events += 1;
                self.report.fault(FaultKind::Altered, detail);
            }
            Line::Unreadable(detail) => self.report.fault(FaultKind::Incomplete, detail),
        }
    }

    /// Compares the number of events, the tree and its gaps with the `end` line.
    fn verify_log(&mut self, end: &End) {
        let report = &mut self.report;
        if end.events != report.events {
            let (stated, counted) = (end.events, report.events);
            report.fault(
                FaultKind::Incomplete,
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
        let Some(known) = checkpoints::verify(end, &self.stored, &self.keys, report) else {
            return;
        };
        let (size, whole) = (report.size, end.filter.is_none());
        self.entries.check_newer(size, whole, report);
        let gaps = tree::verify(&self.entries, &known, size, report);
        gaps.explain(&self.entries, whole, report);
    }
}
