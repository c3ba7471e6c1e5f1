//! The `postern-verify` binary: see [`postern_audit_log::cli`].

use std::process::ExitCode;

use clap::Parser;
use postern_audit_log::cli::{self, Cli};

fn main() -> ExitCode {
    cli::exit_code("postern-verify", cli::run(&Cli::parse()))
}
