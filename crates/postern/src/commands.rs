//! Commands of the `postern` binary.

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use clap::{Parser, Subcommand, ValueEnum};
use postern_api::identity::{Hasher, KeyRing};
use postern_app::{
    cli, staff,
    users::{self, AccountDetails},
};
use postern_domain::{
    clock::{Clock, RequestContext, SystemClock},
    event::Source,
    justification::Reason,
    password::Password,
    staff::Tier,
    user::UserRef,
};
use postern_persistence::{
    AuditKeys, Store,
    demo::{self, Size},
    schema::{self, MigrationOutcome},
};

use crate::{
    audit::{self, AuditCommand},
    config::Config,
    doctor, log,
    retention::{self, PrivacyCommand, RetentionCommand},
    serve,
};

/// Multi-tenant admin backend for B2B `SaaS`.
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
        /// Load the demo accounts first. Fails if the database has accounts, but not these.
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
        #[arg(long, value_enum, default_value_t = Print::Contract)]
        print: Print,
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
    Operations,
    Permissions,
    Problems,
    AuditActions,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create an account. The password is read from standard input (one line).
    Add {
        /// E-mail address.
        email: String,
        /// Name, 1 to 100 characters.
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum StaffCommand {
    /// Assign a staff tier to a user.
    Grant {
        /// User ID or e-mail address.
        user: UserRef,
        /// New tier: support, operations, engineering or `super_admin`.
        tier: String,
        /// Reason, recorded in the audit log: 15 to 500 characters.
        #[arg(long)]
        reason: String,
    },
    /// Remove a staff member.
    Revoke {
        /// User ID or e-mail address.
        user: UserRef,
        /// Reason, recorded in the audit log: 15 to 500 characters.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Create a signing key. Servers publish it within a minute and sign with it after
    /// `tokens.key_activation_minutes`.
    Rotate,
}

/// Result of a command.
pub type CliResult = Result<(), Box<dyn Error>>;

/// Runs a command.
pub async fn run(cli: Cli) -> CliResult {
    match &cli.command {
        Command::Openapi { print } => return print_out(*print),
        Command::Audit { command: AuditCommand::Verify(options) } => {
            // Blocks the thread: no other task runs.
            let valid = audit::verify(options).unwrap_or_else(|error| {
                eprintln!("postern: {error}");
                std::process::exit(2)
            });
            return if valid { Ok(()) } else { Err("the log is not valid".into()) };
        }
        _ => {}
    }
    let config = Config::load(cli.config.as_deref())?;
    log::install(&config.log);
    match cli.command {
        Command::Serve { demo, no_worker } => serve::serve(config, demo, !no_worker).await,
        Command::Worker => serve::run_worker(&config).await,
        Command::Migrate => migrate(&config).await,
        Command::Doctor { json, demo } => {
            let faults = doctor::look(&config, demo).await?;
            doctor::print(&faults, json)?;
            if faults.is_empty() { Ok(()) } else { Err("some checks failed".into()) }
        }
        Command::Demo { orgs, members, events } => {
            let store = open(&config).await?;
            load_demo(&config, &store).await?;
            if orgs == 0 {
                Ok(())
            } else {
                fill_demo(&config, &store, Size { orgs, members, events }).await
            }
        }
        Command::User { command: UserCommand::Add { email, name } } => {
            add_user(&config, &email, name).await
        }
        Command::Staff { command } => change_staff(&config, command).await,
        Command::Keys { command: KeysCommand::Rotate } => {
            let now = SystemClock.now();
            Ok(KeyRing::open(&config.api.tokens, now)?.rotate(now)?)
        }
        Command::Audit { command: AuditCommand::RotateKey } => {
            let now = SystemClock.now();
            AuditKeys::open(&config.audit.keys_dir, config.log_origin(), false, now)?
                .add_key(now)?;
            say("created a key; servers also sign with it within a minute. \
                 Then publish the response of `GET …/audit-log/keys`")
        }
        Command::Retention { command } => retention::retention(&config, command).await,
        Command::Privacy { command } => retention::privacy(&config, command).await,
        Command::Openapi { .. } | Command::Audit { .. } => Ok(()),
    }
}

fn print_out(print: Print) -> CliResult {
    let text = match print {
        Print::Contract => postern_api::openapi(),
        Print::Operations => postern_api::operations_table(),
        Print::Permissions => postern_api::permissions_table(),
        Print::Problems => postern_api::problems_table(),
        Print::AuditActions => postern_api::actions_table(),
    };
    Ok(io::stdout().write_all(text.as_bytes())?)
}

async fn migrate(config: &Config) -> CliResult {
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

/// Opens the database. Migrates it first if it is embedded.
pub(crate) async fn open(config: &Config) -> Result<Arc<Store>, Box<dyn Error>> {
    let options = config.store_options(SystemClock.now())?;
    schema::prepare(&options).await?;
    let store = Store::connect(&options).await?;
    // Skipped if a check fails: the caller reports that instead of the error it would cause here.
    if schema::examine(&store, SystemClock.now()).await?.is_empty() {
        store.bind_audit_keys().await?;
    }
    Ok(store)
}

pub(crate) async fn load_demo(config: &Config, store: &Arc<Store>) -> CliResult {
    let hasher = Hasher::new(&config.api.passwords).map_err(|error| error.to_string())?;
    let permit = hasher.acquire().await?;
    let password = Password::new(demo::PASSWORD);
    demo::load(store, permit.hash(&password), &cli_context()).await?;
    Ok(())
}

async fn fill_demo(config: &Config, store: &Arc<Store>, size: Size) -> CliResult {
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

pub(crate) fn cli_context() -> RequestContext {
    RequestContext { now: SystemClock.now(), ids: Arc::default(), source: Source::default() }
}

async fn add_user(config: &Config, email: &str, name: String) -> CliResult {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let password = Password::new(line.trim_end_matches(['\n', '\r']));
    let details = AccountDetails::new(email, name, &password)?;
    let hasher = Hasher::new(&config.api.passwords).map_err(|error| error.to_string())?;
    let hash = hasher.acquire().await?.hash(&password).await;
    let store = open(config).await?;
    let mut work = cli::begin(&store, &cli::ADD_USER, cli_context()).await?;
    let user = users::add_user(&mut work, details, hash).await?;
    work.commit().await?;
    say(&format!("created {} ({})", user.email, user.id))
}

async fn change_staff(config: &Config, command: StaffCommand) -> CliResult {
    let (user, tier, reason) = match command {
        StaffCommand::Grant { user, tier, reason } => (user, Some(tier), reason),
        StaffCommand::Revoke { user, reason } => (user, None, reason),
    };
    let unknown_tier = "unknown tier: use support, operations, engineering or super_admin";
    let tier = tier.map(|tier| Tier::parse(&tier).ok_or(unknown_tier)).transpose()?;
    let reason = Reason::try_from(reason)?;
    let store = open(config).await?;
    let mut work = cli::begin(&store, &cli::CHANGE_STAFF, cli_context()).await?;
    let max_super_admins = config.api.staff.max_super_admins;
    let assignment = staff::set_tier(&mut work, &user, tier, &reason, max_super_admins).await?;
    work.commit().await?;
    let email = assignment.user.email;
    say(&match assignment.tier {
        Some(tier) => format!("granted {email} the {tier} tier"),
        None => format!("removed {email} from staff"),
    })
}

fn say(line: &str) -> CliResult {
    Ok(writeln!(io::stdout(), "{line}")?)
}
