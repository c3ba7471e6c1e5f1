//! `postern audit`: verifies a log without trusting the server that keeps it, and rotates the keys
//! that sign it. Except for the download of an export, `postern-verify` does the same.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use postern_audit_log::cli::{
    self, ConsistencyArgs, ExportOptions, ProofArgs, Verification, open_input,
};

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify an export of a log: its events match their log entries, the entries match the
    /// checkpoint, your key signed the checkpoint, and stored checkpoints still match. Exit code:
    /// 0 if the log is valid, 1 if it is not, 2 if it cannot be verified.
    Verify(Verify),
    /// Verify an inclusion proof: an event or leaf hash against the tree of a signed checkpoint.
    /// Exit codes as for `verify`.
    VerifyProof(ProofArgs),
    /// Verify that a checkpoint is consistent with an older one: the log has kept all entries. Exit
    /// codes as for `verify`.
    VerifyConsistency(ConsistencyArgs),
    /// Add a key that signs all logs; the existing keys sign too. To retire a key, rename its file
    /// from `….log.pk8` to `….retired.pk8`.
    RotateKey,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Export file, from `GET …/audit-events/export`; `-` for standard input.
    #[arg(required_unless_present = "server")]
    export: Option<PathBuf>,
    /// Server to download the export from, with the access token in `POSTERN_TOKEN`.
    #[arg(long, value_name = "URL", conflicts_with_all = ["export", "partial"])]
    server: Option<String>,
    /// Org of the log to download, as ID or slug. Default: the platform log.
    #[arg(long, requires = "server")]
    org: Option<String>,
    #[command(flatten)]
    options: ExportOptions,
}

/// Verifies what the command names and prints the result. `None` for other commands.
pub fn verify(command: &AuditCommand) -> Option<Verification> {
    match command {
        AuditCommand::Verify(args) => Some(verify_export(args)),
        AuditCommand::VerifyProof(args) => Some(cli::verify_proof(args)),
        AuditCommand::VerifyConsistency(args) => Some(cli::verify_consistency(args)),
        AuditCommand::RotateKey => None,
    }
}

fn verify_export(args: &Verify) -> Verification {
    let Verify { export, server, org, options } = args;
    match (export, server) {
        (_, Some(server)) => {
            let url = export_url(server, org.as_deref());
            cli::verify_export_from(Path::new(&url), fetch(&url)?, options)
        }
        (Some(file), None) => cli::verify_export_from(file, open_input(file)?, options),
        (None, None) => Err("pass an export file or --server".into()),
    }
}

fn export_url(server: &str, org: Option<&str>) -> String {
    let path = org.map_or_else(
        || "/v1/admin/audit-events/export".to_owned(),
        |org| format!("/v1/orgs/{org}/audit-events/export"),
    );
    format!("{}{path}", server.trim_end_matches('/'))
}

fn fetch(url: &str) -> Result<impl BufRead, Box<dyn Error>> {
    let token =
        std::env::var("POSTERN_TOKEN").map_err(|_| "set POSTERN_TOKEN to an access token")?;
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.get(url).header("authorization", format!("Bearer {token}"));
    let mut response = request.call()?;
    if response.status() != 200 {
        let body = response.body_mut().read_to_string().unwrap_or_default();
        return Err(format!("{url}: {} {body}", response.status()).into());
    }
    Ok(BufReader::new(response.into_body().into_reader()))
}
