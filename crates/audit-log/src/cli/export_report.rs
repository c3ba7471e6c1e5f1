//! Output of the report about an export, as text and as JSON.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::json;

use super::verification::label;
use crate::{
    report::{Fault, FaultKind, Report},
    verdict::Verdict,
};

/// Number of faults of one kind that are printed as text.
const PRINTED: u64 = 20;

/// Prints a report as text.
pub fn print(report: &Report) -> io::Result<()> {
    let Report { origin, size, events, omitted, faults, .. } = report;
    let mut out = io::stdout().lock();
    // Without a verified checkpoint, the number of entries is unknown.
    let entries = if *size > 0 { format!("{size} entries, ") } else { String::new() };
    writeln!(out, "{origin}: {entries}{events} events in the export")?;
    print_counts(&mut out, report)?;
    let verdict = report.verdict();
    if verdict == Verdict::Valid {
        return writeln!(
            out,
            "{}: {} matches its log entry, and the tree matches the signed checkpoint",
            label(verdict),
            if *omitted > 0 { "every exported event" } else { "every event" }
        );
    }
    writeln!(out, "{}, {} fault(s):", label(verdict), faults.len())?;
    let mut printed = BTreeMap::<FaultKind, u64>::new();
    for Fault { kind, detail } in faults {
        let count = printed.entry(*kind).or_default();
        *count += 1;
        if *count <= PRINTED {
            writeln!(out, "  - [{kind}] {detail}")?;
        }
    }
    for (kind, count) in printed.iter().filter(|(_, count)| **count > PRINTED) {
        writeln!(out, "  - [{kind}] {} more; --json lists all", count - PRINTED)?;
    }
    let mut remedies: Vec<&str> = Vec::new();
    for remedy in printed.keys().map(|kind| kind.remedy()) {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
            writeln!(out, "{remedy}")?;
        }
    }
    Ok(())
}

fn print_counts(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let later = "not in the checkpoint yet: a later export covers them";
    for (label, count, note) in [
        ("entries removed by retention", report.expired, "as the log states; their hashes remain"),
        ("entries outside of the export", report.omitted, "the export has their hashes"),
        ("events newer than the checkpoint", report.newer, later),
        ("pending events", report.pending, later),
        (
            "events with erased fields",
            report.erased.len() as u64,
            "their other fields match their log entries",
        ),
    ] {
        if count > 0 {
            writeln!(out, "  {label}: {count} ({note})")?;
        }
    }
    Ok(())
}

/// Prints a report as one JSON object.
pub fn print_json(report: &Report) -> io::Result<()> {
    let Report { origin, size, events, erased, omitted, expired, pending, newer, faults } = report;
    let faults: Vec<_> = faults
        .iter()
        .map(|Fault { kind, detail }| {
            json!({ "kind": kind, "detail": detail, "remedy": kind.remedy() })
        })
        .collect();
    let json = json!({
        "valid": report.is_valid(), "verdict": report.verdict(), "origin": origin,
        "entries": size, "events": events, "erased": erased, "omitted": omitted,
        "expired": expired, "pending": pending, "newer": newer, "faults": faults,
    });
    writeln!(io::stdout().lock(), "{json}")
}
