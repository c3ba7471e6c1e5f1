//! The `postern` binary: see [`postern::commands`].

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use postern::commands::{self, Cli};

/// Returns large blocks to the system at once. A password hash takes 19 MiB for tens of
/// milliseconds; with the system's allocator the peak of concurrent sign-ins was three times as
/// high (docs/performance.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match commands::run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("postern: {}", postern_domain::chain(&*error));
            ExitCode::FAILURE
        }
    }
}
