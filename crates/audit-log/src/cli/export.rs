//! `postern-verify export`: verifies an export of a log.

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use super::{input, verification::Verification};
use crate::{
    report::{Fault, Report},
    verify::ExportVerifier,
};

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Export file, from `GET …/audit-events/export`; `-` for standard input.
    export: PathBuf,
    #[command(flatten)]
    options: ExportOptions,
}

/// Options that do not depend on the source of the export.
#[derive(Debug, Args)]
pub struct ExportOptions {
    /// Public key, such as `postern.example/org_…+1234abcd+AQ…`, or a file with one key per line.
    /// The checkpoint must be signed by one of them. Repeatable.
    #[arg(long, required = true, value_name = "KEY|FILE")]
    key: Vec<String>,
    /// File with a checkpoint stored earlier. Repeatable.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Accept an export that states that it is a part of a log; omitted events are not reported.
    #[arg(long)]
    partial: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Verifies an export file and prints the report.
pub fn verify_export(args: &ExportArgs) -> Verification {
    verify_export_from(&args.export, input::open(&args.export)?, &args.options)
}

/// Verifies an export and prints the report. `name` is the name of the source in errors.
pub fn verify_export_from(
    name: &Path,
    export: impl BufRead,
    options: &ExportOptions,
) -> Verification {
    let stored = options
        .checkpoint
        .iter()
        .map(|file| Ok(input::read_checkpoint(file)?.0))
        .collect::<Result<_, String>>()?;
    let verifier = ExportVerifier::new(input::keys(&options.key)?, stored);
    let mut verifier = if options.partial { verifier.accept_partial() } else { verifier };
    for (number, line) in (1..).zip(export.lines()) {
        let at_line = |error| input::in_file(name, format_args!("line {number}: {error}"));
        verifier.line(line.map_err(at_line)?);
    }
    let report = verifier.finish();
    if options.json {
        print_json(&report)?;
    } else {
        print(&report)?;
    }
    Ok(report.is_valid())
}

fn print(report: &Report) -> io::Result<()> {
    let Report { origin, size, events, erased, omitted, expired, pending, newer, faults } = report;
    let mut out = io::stdout().lock();
    writeln!(out, "{origin}: {size} entries, {events} events in the export")?;
    for (count, what) in [
        (
            *expired,
            "entries were removed by retention, as the log states; the tree still has their hashes",
        ),
        (*omitted, "entries are not in this export; the tree still has their hashes"),
        (*newer, "events are newer than the checkpoint: a later export covers them"),
        (*pending, "events are pending: a later export covers them"),
        (
            erased.len() as u64,
            "events have erased fields; their other fields match their log entries",
        ),
    ] {
        if count > 0 {
            writeln!(out, "  {count} {what}")?;
        }
    }
    if faults.is_empty() {
        return writeln!(
            out,
            "valid: {} matches its log entry, and the tree matches the signed checkpoint",
            if *omitted > 0 { "every exported event" } else { "every event" }
        );
    }
    writeln!(out, "NOT VALID, {} fault(s):", faults.len())?;
    faults.iter().try_for_each(|Fault { kind, detail }| writeln!(out, "  - [{kind}] {detail}"))
}

fn print_json(report: &Report) -> io::Result<()> {
    let Report { origin, size, events, erased, omitted, expired, pending, newer, faults } = report;
    let faults: Vec<_> = faults
        .iter()
        .map(|Fault { kind, detail }| json!({ "kind": kind, "detail": detail }))
        .collect();
    let json = json!({
        "valid": report.is_valid(), "origin": origin, "entries": size, "events": events,
        "erased": erased, "omitted": omitted, "expired": expired, "pending": pending,
        "newer": newer, "faults": faults,
    });
    writeln!(io::stdout().lock(), "{json}")
}
