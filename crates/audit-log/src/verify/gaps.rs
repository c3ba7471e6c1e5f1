//! Entries without an event: omitted by the filter, removed by retention, or missing.

use std::collections::BTreeSet;

use super::{entries::Entries, line::RemovalNotice, range::entries_are};
use crate::report::{FaultKind, Report};

/// Consecutive entries without an event, from `from` to before `to`.
struct Gap {
    from: u64,
    to: u64,
    /// Ids of the events, where the export has them.
    events: BTreeSet<String>,
}

/// Gaps in the order of the log.
#[derive(Default)]
pub struct Gaps(Vec<Gap>);

impl Gaps {
    /// Adds the entries from `from` to before `to`, and the id of the event if there is one.
    pub fn add(&mut self, from: u64, to: u64, event: Option<&String>) {
        match self.0.last_mut() {
            Some(gap) if gap.to == from => {
                gap.to = to;
                gap.events.extend(event.cloned());
            }
            _ => self.0.push(Gap { from, to, events: event.cloned().into_iter().collect() }),
        }
    }

    /// Compares the gaps and the erased events with the removals that the log records. In a partial
    /// export, all gaps count as omitted.
    pub fn explain(&self, entries: &Entries, whole: bool, report: &mut Report) {
        if !whole {
            report.omitted = self.0.iter().map(|gap| gap.to - gap.from).sum();
            return;
        }
        let (mut first_kept, mut expired, mut erased) = (0, 0, 0);
        for (index, notice) in entries.notices_below(report.size) {
            match notice {
                RemovalNotice::Expired { events, first_kept: before } => {
                    first_kept = first_kept.max(index.min(*before));
                    expired += events;
                }
                RemovalNotice::Erased { events } => erased += events,
            }
        }
        for gap in &self.0 {
            if gap.to <= first_kept {
                report.expired += gap.to - gap.from;
            } else {
                report.fault(FaultKind::Missing, gap.detail());
            }
        }
        if report.expired > expired {
            let count = report.expired;
            report.fault(
                FaultKind::Missing,
                format!("{count} entries have no event, but the log records {expired} as expired"),
            );
        }
        if report.erased.len() as u64 > erased {
            let count = report.erased.len();
            report.fault(
                FaultKind::Altered,
                format!(
                    "{count} events have erased fields, but the log records {erased} as erased"
                ),
            );
        }
    }
}

impl Gap {
    fn detail(&self) -> String {
        let events: Vec<&str> = self.events.iter().map(String::as_str).collect();
        let events =
            if events.is_empty() { String::new() } else { format!(": {}", events.join(", ")) };
        let entries = entries_are(self.from, self.to);
        format!("{entries} missing: the export has only the leaf hashes{events}")
    }
}
