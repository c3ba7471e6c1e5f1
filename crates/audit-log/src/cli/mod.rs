//! Command line of `postern-verify`. `postern audit verify`, `verify-proof` and
//! `verify-consistency` call the same functions.
//!
//! A verification returns a [`Verdict`](crate::verdict::Verdict), and an error if it is not
//! possible, for example because a file cannot be read.

mod consistency;
mod export;
mod export_report;
mod file_kind;
mod input;
mod output;
mod progress;
mod proof;
mod source;
mod verification;

use clap::{Parser, Subcommand};

pub use self::{
    consistency::{ConsistencyArgs, verify_consistency},
    export::{ExportArgs, ExportOptions, verify_export, verify_export_from},
    proof::{ProofArgs, verify_proof},
    source::open as open_input,
    verification::{EXIT_CODES, Verification, exit_code},
};

/// Verify audit logs of Postern, offline and without trust in the server.
#[derive(Debug, Parser)]
#[command(name = "postern-verify", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify an export of a log: each event against its log entry, the tree against its
    /// checkpoint, the checkpoint against the key, and stored checkpoints against the tree.
    Export(ExportArgs),
    /// Verify an inclusion proof: an event or leaf hash against the tree of a signed checkpoint.
    Proof(ProofArgs),
    /// Verify that a checkpoint is consistent with an older one: the log has kept all entries.
    Consistency(ConsistencyArgs),
}

/// Runs a command of `postern-verify`.
pub fn run(cli: &Cli) -> Verification {
    match &cli.command {
        Command::Export(args) => verify_export(args),
        Command::Proof(args) => verify_proof(args),
        Command::Consistency(args) => verify_consistency(args),
    }
}
