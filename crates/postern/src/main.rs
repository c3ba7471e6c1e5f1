//! `postern`: see [`postern::commands`].

use std::process::ExitCode;

use clap::Parser;
use postern::commands::{self, Cli};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match commands::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("postern: {}", postern_domain::chain(&*error));
            ExitCode::FAILURE
        }
    }
}
