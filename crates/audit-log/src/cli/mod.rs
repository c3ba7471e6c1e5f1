//! Command line of `postern-verify`. `postern audit verify`, `verify-proof` and
//! `verify-consistency` call the same functions.
//!
//! A verification returns `Ok(true)` if the input is valid, `Ok(false)` if it is not, and an error
//! if it cannot be verified, for example because a file cannot be read.

mod consistency;
mod export;
mod input;
mod proof;
mod verification;

use clap::{Parser, Subcommand};

pub use self::{
    consistency::{ConsistencyArgs, verify_consistency},
    export::{ExportArgs, ExportOptions, verify_export, verify_export_from},
    input::open as open_input,
    proof::{ProofArgs, verify_proof},
    verification::{Verification, exit_code},
};

/// Verify audit logs of Postern, offline and without trust in the server.
///
/// Exit code: 0 if the input is valid, 1 if it is not, 2 if it cannot be verified.
#[derive(Debug, Parser)]
#[command(name = "postern-verify", version, propagate_version = true)]
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
