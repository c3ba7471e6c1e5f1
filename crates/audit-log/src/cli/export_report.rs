//! Output of the report about an export, as text and as JSON.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::json;

use super::{output, verification::label};
use crate::{
    report::{Fault, FaultKind, Report},
    verdict::Verdict,
};

/// Number of faults of one kind that are printed as text.
const PRINTED: u64 = 20;

/// Prints a report as text.
pub fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { origin, size, events, omitted, faults, .. } = report;
    // Without a verified checkpoint, the number of entries is unknown.
    let entries = if *size > 0 { format!("{size} entries, ") } else { String::new() };
    output::line(out, format_args!("{origin}: {entries}{events} events in the export"))?;
    print_counts(out, report)?;
    let verdict = report.verdict();
    let label = label(verdict);
    if verdict == Verdict::Valid {
        let events = if *omitted > 0 { "every exported event" } else { "every event" };
        let tree = "the tree matches the signed checkpoint";
        let text = format_args!("{label}: {events} matches its log entry, and {tree}");
        return output::line(out, text);
    }
    output::line(out, format_args!("{label}, {} fault(s):", faults.len()))?;
    let mut printed = BTreeMap::<FaultKind, u64>::new();
    for Fault { kind, detail } in faults {
        let count = printed.entry(*kind).or_default();
        *count += 1;
        if *count <= PRINTED {
            output::line(out, format_args!("  - [{kind}] {detail}"))?;
        }
    }
    for (kind, count) in printed.iter().filter(|(_, count)| **count > PRINTED) {
        let more = count - PRINTED;
        output::line(out, format_args!("  - [{kind}] {more} more; --json lists all"))?;
    }
    let mut remedies: Vec<&str> = Vec::new();
    for remedy in printed.keys().map(|kind| kind.remedy()) {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
            output::line(out, remedy)?;
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
            output::line(out, format_args!("  {label}: {count} ({note})"))?;
        }
    }
    Ok(())
}

/// Prints a report as one JSON object.
pub fn print_json(out: &mut impl Write, report: &Report) -> io::Result<()> {
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
    output::json(out, &json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_export_cannot_forge_a_line() {
        let forged = "\u{1b}[2J\u{1b}[H\nvalid: every event matches\u{9b}8m";
        let mut report = Report { origin: format!("log{forged}"), ..Report::default() };
        report.erased.push(format!("evt_1{forged}"));
        report.fault(FaultKind::Altered, format!("line 1: event evt_1{forged} was altered"));
        let (mut text, mut json) = (Vec::new(), Vec::new());
        print(&mut text, &report).expect("the buffer accepts all bytes");
        print_json(&mut json, &report).expect("the buffer accepts all bytes");
        for out in [&text, &json] {
            let out = str::from_utf8(out).expect("the output is text");
            assert!(!out.lines().any(|line| line.starts_with("valid")), "{out:?}");
            assert!(!out.contains(|c: char| c.is_control() && c != '\n'), "{out:?}");
        }
        let json: serde_json::Value = serde_json::from_slice(&json).expect("the output is JSON");
        assert_eq!(json["erased"][0], format!("evt_1{forged}"), "the value is unchanged");
    }
}
