//! `postern audit`: verifies a log without trusting the server that keeps it, and rotates the keys
//! that sign it.

use std::{
    error::Error,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use postern_domain::verify::{ExportVerifier, Fault, Report};
use postern_tlog::Verifier;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify an export of a log: each event against its log entry, the tree against its
    /// checkpoint, the checkpoint against the key, and stored checkpoints against the tree. Exit
    /// code: 0 if the log is valid, 1 if it is not, 2 if it cannot be verified.
    Verify(Verify),
    /// Create another key that signs the log, beside the existing ones. To retire a key, rename its
    /// file from `….log.pk8` to `….retired.pk8`.
    RotateKey,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Export file, from `GET …/audit-events` with `Accept: application/x-ndjson`; `-` for standard
    /// input.
    #[arg(required_unless_present = "server")]
    export: Option<PathBuf>,
    /// Server to download the export from, with the access token in `POSTERN_TOKEN`.
    #[arg(long, value_name = "URL", conflicts_with = "export")]
    server: Option<String>,
    /// Org of the log to download, as ID or slug. Default: the platform log.
    #[arg(long, requires = "server")]
    org: Option<String>,
    /// Public key, such as `postern.example/org_…+1234abcd+AQ…`, or a file with one key per line.
    /// The checkpoint must be signed by one of them. Repeatable.
    #[arg(long, required = true, value_name = "KEY|FILE")]
    key: Vec<String>,
    /// File with a checkpoint stored earlier. Repeatable.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Accept an export that states that it is a part of a log; omitted events are not reported.
    #[arg(long, conflicts_with = "server")]
    partial: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Verifies an export and prints the report. Returns whether the log is valid.
pub fn verify(options: &Verify) -> Result<bool, Box<dyn Error>> {
    let kept = options.checkpoint.iter().map(read).collect::<Result<_, _>>()?;
    let verifier = ExportVerifier::new(keys(&options.key)?, kept);
    let mut verifier = if options.partial { verifier.of_a_part() } else { verifier };
    for line in BufReader::new(source(options)?).lines() {
        verifier.line(line?);
    }
    let report = verifier.finish();
    if options.json {
        print_json(&report)?;
    } else {
        print(&report)?;
    }
    Ok(report.faults.is_empty())
}

fn source(options: &Verify) -> Result<Box<dyn Read>, Box<dyn Error>> {
    if let Some(server) = &options.server {
        let token =
            std::env::var("POSTERN_TOKEN").map_err(|_| "set POSTERN_TOKEN to an access token")?;
        let path = options.org.as_ref().map_or_else(
            || "/v1/admin/audit-events".to_owned(),
            |org| format!("/v1/orgs/{org}/audit-events"),
        );
        return fetch(&format!("{}{path}", server.trim_end_matches('/')), &token);
    }
    match &options.export {
        Some(path) if path.as_os_str() == "-" => Ok(Box::new(io::stdin())),
        Some(path) => Ok(Box::new(
            fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?,
        )),
        None => Err("pass an export file or --server".into()),
    }
}

fn fetch(url: &str, token: &str) -> Result<Box<dyn Read>, Box<dyn Error>> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent
        .get(url)
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/x-ndjson");
    let mut response = request.call()?;
    if response.status() != 200 {
        let body = response.body_mut().read_to_string().unwrap_or_default();
        return Err(format!("{url}: {} {body}", response.status()).into());
    }
    Ok(Box::new(response.into_body().into_reader()))
}

fn read(file: &PathBuf) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn keys(arguments: &[String]) -> Result<Vec<Verifier>, String> {
    let mut keys = Vec::new();
    for argument in arguments {
        if let Some(key) = Verifier::parse(argument) {
            keys.push(key);
            continue;
        }
        let lines = fs::read_to_string(argument)
            .map_err(|error| format!("{argument}: neither a key nor a readable file ({error})"))?;
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            keys.push(
                Verifier::parse(line.trim())
                    .ok_or_else(|| format!("{argument}: {line}: not a C2SP signed-note key"))?,
            );
        }
    }
    Ok(keys)
}

fn print(report: &Report) -> io::Result<()> {
    let Report { origin, size, events, erased, left_out, retired, waiting, newer, faults } = report;
    let mut out = io::stdout().lock();
    writeln!(out, "{origin}: {size} entries, {events} events in the export")?;
    for (count, what) in [
        (
            *retired,
            "entries were removed by retention, as the log states; the tree still has their hashes",
        ),
        (*left_out, "entries are not in this export; the tree still has their hashes"),
        (*newer, "events are newer than the checkpoint: a later export covers them"),
        (*waiting, "events are pending: a later export covers them"),
    ] {
        if count > 0 {
            writeln!(out, "  {count} {what}")?;
        }
    }
    if !erased.is_empty() {
        writeln!(
            out,
            "  {} events have erased fields; their other fields match their log entries",
            erased.len()
        )?;
    }
    if faults.is_empty() {
        return writeln!(
            out,
            "valid: {} matches its log entry, and the tree matches the signed checkpoint",
            if *left_out > 0 { "every exported event" } else { "every event" }
        );
    }
    writeln!(out, "NOT VALID, {} fault(s):", faults.len())?;
    faults.iter().try_for_each(|Fault { kind, detail }| writeln!(out, "  - [{kind}] {detail}"))
}

fn print_json(report: &Report) -> io::Result<()> {
    let Report { origin, size, events, erased, left_out, retired, waiting, newer, faults } = report;
    let faults: Vec<_> = faults
        .iter()
        .map(|Fault { kind, detail }| json!({ "kind": kind, "detail": detail }))
        .collect();
    let report = json!({
        "sound": faults.is_empty(), "origin": origin, "entries": size, "events": events,
        "erased": erased, "left_out": left_out, "retired": retired, "waiting": waiting,
        "newer": newer, "faults": faults,
    });
    writeln!(io::stdout().lock(), "{report}")
}
