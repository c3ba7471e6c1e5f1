//! `postern migrate`: schema migrations and row-level security.

use std::io::{self, Write};

use postern_domain::clock::{Clock, SystemClock};
use postern_persistence::schema::{self, MigrationOutcome};

use super::doctor;
use crate::{
    config::Config,
    runtime::{CliResult, say},
};

pub async fn run(config: &Config) -> CliResult {
    match schema::migrate(&config.store_options(SystemClock.now())?).await? {
        MigrationOutcome::Done => say("the schema is up to date"),
        MigrationOutcome::Faults(faults) => Err(format!(
            "the schema is up to date, but some checks failed:{}",
            doctor::format_faults(&faults)
        )
        .into()),
        MigrationOutcome::NeedsAdministrator { sql } => {
            writeln!(io::stdout(), "{sql}")?;
            Err("this user cannot create the missing roles: \
                 ask a database administrator to run the SQL above, then run this command again"
                .into())
        }
    }
}
