//! `postern user`: creates accounts.

use std::io;

use clap::Subcommand;
use postern_api::identity::Hasher;
use postern_app::{
    cli,
    users::{self, AccountDetails},
};
use postern_domain::password::Password;

use crate::{
    config::Config,
    runtime::{CliResult, cli_context, open, say},
};

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Create an account. The password is read from standard input (one line).
    Add {
        /// E-mail address.
        email: String,
        /// Name: 1 to 100 characters, at least one of them visible.
        #[arg(long)]
        name: String,
    },
}

pub async fn run(config: &Config, command: UserCommand) -> CliResult {
    let UserCommand::Add { email, name } = command;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let password = Password::new(line.trim_end_matches(['\n', '\r']));
    let details = AccountDetails::new(&email, &name, &password)?;
    let hasher = Hasher::new(&config.api.passwords).map_err(|error| error.to_string())?;
    let hash = hasher.acquire().await?.hash(&password).await;
    let store = open(config).await?;
    let mut work = cli::begin(&store, &cli::ADD_USER, cli_context()).await?;
    let user = users::add_user(&mut work, details, hash).await?;
    work.commit().await?;
    say(&format!("created {} ({})", user.email, user.id))
}
