//! Commands of the `postern` binary.

mod audit;
mod audit_download;
mod demo;
pub mod doctor;
mod migrate;
mod retention;
mod serve;
mod staff;
mod users;

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use postern_audit_log::cli;
use postern_domain::clock::{Clock, SystemClock};
use postern_keystore::{AuditKeys, KeyRing};
use postern_persistence::demo::Size;

use self::{
    audit::AuditCommand,
    retention::{PrivacyCommand, RetentionCommand},
    staff::StaffCommand,
    users::UserCommand,
};
use crate::{
    config::Config,
    log,
    runtime::{CliResult, open, say},
};

/// Multi-tenant admin backend for B2B SaaS.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// Configuration file; `config.default.toml` lists all settings.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the HTTP server. An embedded database is migrated first; for PostgreSQL run
    /// `postern migrate`.
    Serve {
        /// Load the demo accounts first. Fails if the database has accounts and is not a demo
        /// database.
        #[arg(long)]
        demo: bool,
        /// Run no background jobs in this process.
        #[arg(long)]
        no_worker: bool,
    },
    /// Run background jobs (audit-log sequencer), for servers with `--no-worker`.
    Worker,
    /// Apply schema migrations and, on PostgreSQL, roles, grants and row-level security policies.
    Migrate,
    /// Check database roles, policies, triggers, migrations, keys and clock; print a fix for each
    /// failure.
    Doctor {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
        /// Accept the demo accounts instead of reporting them.
        #[arg(long)]
        demo: bool,
    },
    /// Load the demo accounts into a new database, optionally with additional orgs.
    Demo {
        /// Number of additional orgs, named company-1 and so on.
        #[arg(
            long,
            default_value_t = 0,
            value_parser = clap::value_parser!(u32).range(..=1_000_000)
        )]
        orgs: u32,
        /// Members of each additional org.
        #[arg(
            long,
            default_value_t = 10,
            value_parser = clap::value_parser!(u32).range(1..=10_000)
        )]
        members: u32,
        /// Approximate total number of audit events, the same number in each additional org.
        #[arg(
            long,
            default_value_t = 0,
            value_parser = clap::value_parser!(u32).range(..=1_000_000_000)
        )]
        events: u32,
    },
    /// Print the OpenAPI document, or one of the tables in `openapi/`.
    Openapi {
        /// Document to print; contract is the OpenAPI document.
        #[arg(long, value_enum, default_value_t = Print::Contract)]
        print: Print,
    },
    /// Print a completion script for a shell.
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Create user accounts.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Assign and remove staff tiers.
    Staff {
        #[command(subcommand)]
        command: StaffCommand,
    },
    /// Verify an audit log, and rotate its signing keys.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Set the retention of audit events, and remove expired events.
    Retention {
        #[command(subcommand)]
        command: RetentionCommand,
    },
    /// Erase a person's data from audit events.
    Privacy {
        #[command(subcommand)]
        command: PrivacyCommand,
    },
    /// Rotate the keys that sign access tokens.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Print {
    Contract,
    #[value(name = "contract-3.0")]
    Contract30,
    Operations,
    Permissions,
    Problems,
    AuditActions,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Create a signing key. Servers publish it within a minute and sign with it after
    /// `tokens.key_activation_minutes`.
    Rotate,
}

/// Runs a command. `postern audit verify` and its siblings have exit codes of their own.
pub async fn run(cli: Cli) -> Result<ExitCode, Box<dyn Error>> {
    match &cli.command {
        Command::Openapi { print } => print_out(*print)?,
        Command::Completions { shell } => {
            // Generated in memory: `generate` panics if it cannot write.
            let (mut command, mut script) = (Cli::command(), Vec::new());
            clap_complete::generate(*shell, &mut command, "postern", &mut script);
            io::stdout().write_all(&script)?;
        }
        Command::Audit { command } if let Some(verification) = audit::verify(command) => {
            return Ok(cli::exit_code("postern", verification));
        }
        _ => {
            let config = Config::load(cli.config.as_deref())?;
            log::install(&config.log);
            Box::pin(run_with(config, cli.command)).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a command that needs the configuration.
async fn run_with(config: Config, command: Command) -> CliResult {
    match command {
        Command::Serve { demo, no_worker } => serve::serve(config, demo, !no_worker).await,
        Command::Worker => serve::run_worker(&config).await,
        Command::Migrate => migrate::run(&config).await,
        Command::Doctor { json, demo } => {
            let report = doctor::connect_and_examine(&config, demo).await?;
            doctor::print(&report, json)?;
            if report.faults.is_empty() { Ok(()) } else { Err("some checks failed".into()) }
        }
        Command::Demo { orgs, members, events } => {
            let store = open(&config).await?;
            demo::load_demo(&config, &store).await?;
            match orgs {
                0 => Ok(()),
                _ => demo::fill_demo(&config, &store, Size { orgs, members, events }).await,
            }
        }
        Command::User { command } => users::run(&config, command).await,
        Command::Staff { command } => staff::run(&config, command).await,
        Command::Keys { command: KeysCommand::Rotate } => {
            let now = SystemClock.now();
            let tokens = &config.api.tokens;
            Ok(KeyRing::open(&tokens.keys_dir, tokens.key_schedule(), now)?.rotate(now)?)
        }
        Command::Audit { command: AuditCommand::RotateKey } => {
            let now = SystemClock.now();
            AuditKeys::open(&config.audit.keys_dir, config.log_origin(), false, now)?
                .add_key(now)?;
            say("created a key; servers also sign with it within a minute. \
                 Then publish the response of `GET …/audit-log/keys`")
        }
        Command::Retention { command } => retention::retention(&config, command).await,
        Command::Privacy { command } => retention::erase(&config, command).await,
        Command::Openapi { .. } | Command::Completions { .. } | Command::Audit { .. } => Ok(()),
    }
}

fn print_out(print: Print) -> CliResult {
    let text = match print {
        Print::Contract => postern_api::openapi(),
        Print::Contract30 => postern_api::openapi_3_0(),
        Print::Operations => postern_api::operations_table(),
        Print::Permissions => postern_api::permissions_table(),
        Print::Problems => postern_api::problems_table(),
        Print::AuditActions => postern_api::actions_table(),
    };
    Ok(io::stdout().write_all(text.as_bytes())?)
}
