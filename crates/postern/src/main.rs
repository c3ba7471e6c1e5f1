//! The `postern` binary: see [`postern::commands`].

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use mimalloc::MiMalloc;
use postern::commands::{self, Cli};

/// Returns large blocks to the system at once. A password hash takes 19 MiB for tens of
/// milliseconds; with the system's allocator the peak of concurrent sign-ins was three times as
/// high (docs/performance.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Maximum wait at exit for tasks that cannot be cancelled, such as the lookup of a host name.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(Into::into).and_then(|runtime| {
        let result = runtime.block_on(commands::run(cli));
        runtime.shutdown_timeout(EXIT_TIMEOUT);
        result
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("postern: {}", postern_domain::chain(&*error));
            ExitCode::FAILURE
        }
    }
}
