//! Shared by several commands: the database, the request context and the output.

use std::{
    error::Error,
    io::{self, Write},
    sync::Arc,
};

use postern_domain::{
    clock::{Clock, RequestContext, SystemClock},
    event::Source,
};
use postern_persistence::{Store, schema};

use crate::config::Config;

/// Result of a command.
pub type CliResult = Result<(), Box<dyn Error>>;

/// Opens the database. Migrates it first if it is embedded.
pub async fn open(config: &Config) -> Result<Arc<Store>, Box<dyn Error>> {
    let options = config.store_options(SystemClock.now())?;
    schema::prepare(&options).await?;
    let store = Store::connect(&options).await?;
    // Skipped if a check fails: the caller reports that instead of the error it would cause here.
    if schema::examine(&store, SystemClock.now()).await?.is_empty() {
        store.bind_audit_keys().await?;
    }
    Ok(store)
}

/// Context of a command, at the current time.
pub fn cli_context() -> RequestContext {
    RequestContext { now: SystemClock.now(), ids: Arc::default(), source: Source::default() }
}

/// Prints a line to standard output.
pub fn say(line: &str) -> CliResult {
    Ok(writeln!(io::stdout(), "{line}")?)
}
