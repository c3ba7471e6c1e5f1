//! `postern audit`: checking a log without trusting who keeps it, and looking after the keys that it is signed with.

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
    /// Check an export of a log: each event against its entry, the tree against its checkpoint, the checkpoint against the key, and
    /// checkpoints kept from before against the tree. Ends with 0 if all is sound, with 1 if something is not, with 2 if it cannot be told.
    Verify(Verify),
    /// Make one more key to sign the log with, beside those that are there. An old one is retired by renaming its file
    /// from `….log.pk8` to `….retired.pk8`.
    RotateKey,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// The export, as `GET …/audit-events` gives it with `Accept: application/x-ndjson`; `-` for standard input.
    #[arg(required_unless_present = "server")]
    export: Option<PathBuf>,
    /// Ask a server for the export instead. The token comes from the environment, as `POSTERN_TOKEN`.
    #[arg(long, value_name = "URL", conflicts_with = "export")]
    server: Option<String>,
    /// With --server: whose log, by id or slug. Left out: the platform's own.
    #[arg(long, requires = "server")]
    org: Option<String>,
    /// A key that the log must be signed by, as in `postern.example/org_…+1234abcd+AQ…`, or a file with such lines. May be given more than once.
    #[arg(long, required = true, value_name = "KEY|FILE")]
    key: Vec<String>,
    /// A checkpoint that was kept from before, as a file. May be given more than once.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Take a file that says of itself that it is a part of a log: what it leaves out is not missed then.
    #[arg(long, conflicts_with = "server")]
    part: bool,
    /// For machines: one JSON object.
    #[arg(long)]
    json: bool,
}

/// True if all is sound.
pub fn verify(asked: &Verify) -> Result<bool, Box<dyn Error>> {
    let kept = asked.checkpoint.iter().map(read).collect::<Result<_, _>>()?;
    let audit = ExportVerifier::new(keys(&asked.key)?, kept);
    let mut audit = if asked.part { audit.of_a_part() } else { audit };
    for line in BufReader::new(source(asked)?).lines() {
        audit.line(line?);
    }
    let report = audit.finish();
    if asked.json {
        print_json(&report)?;
    } else {
        print(&report)?;
    }
    Ok(report.faults.is_empty())
}

fn source(asked: &Verify) -> Result<Box<dyn Read>, Box<dyn Error>> {
    if let Some(server) = &asked.server {
        let token =
            std::env::var("POSTERN_TOKEN").map_err(|_| "set POSTERN_TOKEN to an access token")?;
        let path = asked.org.as_ref().map_or_else(
            || "/v1/admin/audit-events".to_owned(),
            |org| format!("/v1/orgs/{org}/audit-events"),
        );
        return fetch(&format!("{}{path}", server.trim_end_matches('/')), &token);
    }
    match &asked.export {
        Some(path) if path.as_os_str() == "-" => Ok(Box::new(io::stdin())),
        Some(path) => Ok(Box::new(
            fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?,
        )),
        None => Err("name an export, or a server".into()),
    }
}

fn fetch(url: &str, token: &str) -> Result<Box<dyn Read>, Box<dyn Error>> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let asked = agent
        .get(url)
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/x-ndjson");
    let mut answer = asked.call()?;
    if answer.status() != 200 {
        let said = answer.body_mut().read_to_string().unwrap_or_default();
        return Err(format!("{url}: {} {said}", answer.status()).into());
    }
    Ok(Box::new(answer.into_body().into_reader()))
}

fn read(file: &PathBuf) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn keys(given: &[String]) -> Result<Vec<Verifier>, String> {
    let mut keys = Vec::new();
    for one in given {
        if let Some(key) = Verifier::parse(one) {
            keys.push(key);
            continue;
        }
        let lines = fs::read_to_string(one).map_err(|error| {
            format!("{one}: neither a key nor a file that can be read ({error})")
        })?;
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            keys.push(
                Verifier::parse(line.trim())
                    .ok_or_else(|| format!("{one}: {line}: not a key of C2SP signed-note"))?,
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
            "entries were removed when their time was over, as the log itself says; their hashes are still in the tree",
        ),
        (*left_out, "entries were not asked for; their hashes are still in the tree"),
        (*newer, "events are newer than the checkpoint: a later export covers them"),
        (*waiting, "events wait for their place in the log: a later export covers them"),
    ] {
        if count > 0 {
            writeln!(out, "  {count} {what}")?;
        }
    }
    if !erased.is_empty() {
        writeln!(
            out,
            "  {} events have parts that were erased: what is left is what was recorded",
            erased.len()
        )?;
    }
    if faults.is_empty() {
        return writeln!(
            out,
            "sound: {} is what was recorded, and the tree is what was signed",
            if *left_out > 0 { "what is here" } else { "every event" }
        );
    }
    writeln!(out, "NOT SOUND, {} fault(s):", faults.len())?;
    faults.iter().try_for_each(|Fault { kind, detail }| writeln!(out, "  - [{kind}] {detail}"))
}

fn print_json(report: &Report) -> io::Result<()> {
    let Report { origin, size, events, erased, left_out, retired, waiting, newer, faults } = report;
    let faults: Vec<_> = faults
        .iter()
        .map(|Fault { kind, detail }| json!({ "kind": kind, "detail": detail }))
        .collect();
    let told = json!({
        "sound": faults.is_empty(), "origin": origin, "entries": size, "events": events, "erased": erased, "left_out": left_out,
        "retired": retired, "waiting": waiting, "newer": newer, "faults": faults,
    });
    writeln!(io::stdout().lock(), "{told}")
}
