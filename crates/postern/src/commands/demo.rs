//! `postern demo`: demo accounts, and additional orgs.

use std::sync::Arc;

use postern_api::identity::Hasher;
use postern_domain::password::Password;
use postern_persistence::{
    Store,
    demo::{self, Size},
};

use crate::{
    config::Config,
    runtime::{CliResult, cli_context, say},
};

/// Loads the demo accounts into a new database.
pub async fn load_demo(config: &Config, store: &Arc<Store>) -> CliResult {
    let hasher = Hasher::new(&config.api.passwords).map_err(|error| error.to_string())?;
    let permit = hasher.acquire().await?;
    let password = Password::new(demo::PASSWORD);
    demo::load(store, permit.hash(&password), &cli_context()).await?;
    Ok(())
}

/// Adds orgs with members and audit events.
pub async fn fill_demo(config: &Config, store: &Arc<Store>, size: Size) -> CliResult {
    let hasher = Hasher::new(&config.api.passwords).map_err(|error| error.to_string())?;
    let permit = hasher.acquire().await?;
    let password = Password::new(demo::PASSWORD);
    demo::fill(store, size, permit.hash(&password), &cli_context(), |done| {
        let bar: String = (1..=40)
            .map(|step| if u64::from(done) * 40 >= step * u64::from(size.orgs) { '#' } else { ' ' })
            .collect();
        eprint!("\r[{bar}] {done} of {} orgs", size.orgs);
    })
    .await?;
    eprintln!();
    say(&format!(
        "created company-1 to company-{} with {} members each, such as member-1@company-1.example",
        size.orgs, size.members
    ))
}
