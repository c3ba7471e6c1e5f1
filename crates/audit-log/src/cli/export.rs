//! `postern-verify export`: verifies an export of a log.

use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    export_report, file_kind, input,
    progress::Progress,
    source::{self, Lines},
    verification::{EXIT_CODES, Verification},
};
use crate::{
    report::Report,
    verify::{ExportVerifier, StoredCheckpoint},
};

/// Source of an export, for error messages.
const EXPORT: &str = "Pass an NDJSON export of the log, from `GET …/audit-events/export`";

/// Number of characters that show the kind of a file that is not an export.
const BEGINNING: usize = 1_000;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ExportArgs {
    /// NDJSON export file, from `GET …/audit-events/export`; `-` for standard input. Can be
    /// compressed with gzip.
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
    /// State that the export was made after all these checkpoints were stored. If it has fewer
    /// entries than one of them, the log was truncated (exit code 1 instead of 3).
    #[arg(long, requires = "checkpoint")]
    pub current: bool,
    /// Accept an export that states that it is a part of a log; omitted events are not reported.
    #[arg(long)]
    partial: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Verifies an export file and prints the report.
pub fn verify_export(args: &ExportArgs) -> Verification {
    let verifier = args.options.verifier()?;
    let (export, size) = source::open(&args.export)?;
    verify_export_from(&args.export, export, size, verifier, &args.options)
}

impl ExportOptions {
    /// Reads keys and checkpoints.
    pub fn verifier(&self) -> Result<ExportVerifier, String> {
        let read_stored = |file: &PathBuf| {
            let (note, _) = input::read_checkpoint(file)?;
            Ok(StoredCheckpoint { name: format!("your checkpoint {}", file.display()), note })
        };
        let stored = self.checkpoint.iter().map(read_stored).collect::<Result<Vec<_>, String>>()?;
        let verifier = ExportVerifier::new(input::keys(&self.key)?, stored);
        let verifier = if self.partial { verifier.accept_partial() } else { verifier };
        Ok(if self.current { verifier.current() } else { verifier })
    }
}

/// Verifies an export and prints the report. `name` is the name of the source in errors, `size` its
/// size in bytes.
pub fn verify_export_from(
    name: &Path,
    export: impl BufRead,
    size: Option<u64>,
    verifier: ExportVerifier,
    options: &ExportOptions,
) -> Verification {
    let report = verify(export, size, verifier).map_err(|error| source::in_file(name, error))?;
    let mut out = io::stdout().lock();
    if options.json {
        export_report::print_json(&mut out, &report)?;
    } else {
        export_report::print(&mut out, &report)?;
    }
    Ok(report.verdict())
}

fn verify(
    export: impl BufRead,
    size: Option<u64>,
    mut verifier: ExportVerifier,
) -> Result<Report, String> {
    let mut lines = Lines::new(source::decode(export)?);
    let mut progress = Progress::new(size);
    let mut beginning = String::new();
    while let Some(line) = lines.next()? {
        progress.add_line(lines.bytes);
        if beginning.is_empty() && !line.trim().is_empty() {
            check_first(&line)?;
        }
        if beginning.len() < BEGINNING {
            beginning.extend(line.chars().take(BEGINNING).chain(['\n']));
        }
        verifier.line(line);
    }
    progress.finish();
    verifier.finish().ok_or_else(|| match file_kind::describe(&beginning) {
        Some(kind) => format!("this is {kind}. {EXPORT}"),
        None => format!("not an export: no line is an event. {EXPORT}"),
    })
}

/// Rejects a file of another kind by its first line.
fn check_first(line: &str) -> Result<(), String> {
    match file_kind::describe(line) {
        // An export of an empty log, or with a filter that matches nothing, begins with its end.
        Some(kind) if !["an event or an export", "the end of an export"].contains(&&*kind) => {
            Err(format!("this is {kind}. {EXPORT}"))
        }
        _ => Ok(()),
    }
}
