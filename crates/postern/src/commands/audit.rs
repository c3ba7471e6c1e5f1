//! `postern audit`: verifies a log without trusting the server that keeps it, and rotates the keys
//! that sign it. Except for the download of an export, `postern-verify` does the same.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use postern_audit_log::cli::{
    self, ConsistencyArgs, EXIT_CODES, ExportOptions, ProofArgs, Verification, open_input,
};

use super::audit_download::download;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify an export of a log: its events match their log entries, the entries match the
    /// checkpoint, your key signed the checkpoint, and stored checkpoints still match.
    Verify(Verify),
    /// Verify an inclusion proof: an event or leaf hash against the tree of a signed checkpoint.
    VerifyProof(ProofArgs),
    /// Verify that a checkpoint is consistent with an older one: the log has kept all entries.
    VerifyConsistency(ConsistencyArgs),
    /// Add a key that signs all logs; the existing keys sign too. To retire a key, rename its file
    /// from `….log.pk8` to `….retired.pk8`.
    RotateKey,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Verify {
    /// NDJSON export file, from `GET …/audit-events/export`; `-` for standard input. Can be
    /// compressed with gzip.
    #[arg(required_unless_present = "server")]
    export: Option<PathBuf>,
    /// URL of the server to download the export from, with the access token in `POSTERN_TOKEN`.
    /// Implies --current.
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
    // Reads the stored checkpoints before the download: it is newer than all of them.
    let verifier = options.verifier()?;
    match (export, server) {
        (_, Some(server)) => {
            let url = export_url(server, org.as_deref());
            let (name, export) = (Path::new(&url), download(&url)?);
            cli::verify_export_from(name, export, None, verifier.current(), options)
        }
        (Some(file), None) => {
            let (export, size) = open_input(file)?;
            cli::verify_export_from(file, export, size, verifier, options)
        }
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
