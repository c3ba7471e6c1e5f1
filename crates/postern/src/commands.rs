//! What `postern` can be told to do.

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use clap::{Parser, Subcommand, ValueEnum};
use postern_api::identity::{Hasher, KeyRing};
use postern_domain::{
    action::Action,
    clock::{Clock, RequestContext, SystemClock},
    credential::NewUser,
    event::Source,
    justification::Reason,
    operation::{Impersonated, Operation, Records},
    password::Password,
    policy,
    scope::{self, ScopeKind},
    staff::Tier,
    text,
};
use postern_persistence::{
    AuditKeys, Store, StoreError,
    demo::{self, Size},
    pre_auth::PreAuthTx,
    repository::impersonations::ImpersonationsOf,
    schema::{self, Migrated},
    unit::Work,
};

use crate::{
    audit::{self, AuditCommand},
    config::Config,
    doctor, log,
    retention::{self, PrivacyCommand, RetentionCommand},
    serve,
};

/// The guarded back door of a B2B `SaaS`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// A file with settings; `config.default.toml` lists them all.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve. An embedded database is brought up to date first; on PostgreSQL that is for `postern migrate`.
    Serve {
        /// Load the demo accounts first. Denied on a database that was not made by it.
        #[arg(long)]
        demo: bool,
        /// Leave what happens without a request to `postern work`.
        #[arg(long)]
        no_worker: bool,
    },
    /// Do what happens without a request: make the log of the record that can be checked. For `serve --no-worker`.
    Work,
    /// Bring the schema up to date, and on PostgreSQL the roles, grants and policies that keep tenants apart.
    Migrate,
    /// Say whether everything is as it has to be, and what to do where it is not.
    Doctor {
        /// For machines: one JSON object.
        #[arg(long)]
        json: bool,
        /// The demo accounts are wanted.
        #[arg(long)]
        demo: bool,
    },
    /// Load the demo accounts into a new database, and as many customers more as are asked for.
    Demo {
        /// How many more customers there are to be: company-1 and so on.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
        orgs: u32,
        /// How many members each of them has.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        members: u32,
        /// About how many events there are in their logs together: as many in each.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_000_000_000))]
        events: u32,
    },
    /// Print the contract, or one of the tables beside it.
    Openapi {
        #[arg(long, value_enum, default_value_t = Print::Contract)]
        print: Print,
    },
    /// Make accounts: the first ones, before there is anybody to invite.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Say who is staff.
    Staff {
        #[command(subcommand)]
        command: StaffCommand,
    },
    /// Check the log of the record, and look after its keys.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Say how long events are kept, and remove those whose time is over.
    Retention {
        #[command(subcommand)]
        command: RetentionCommand,
    },
    /// Remove what events say about a person.
    Privacy {
        #[command(subcommand)]
        command: PrivacyCommand,
    },
    /// Look after the signing keys.
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
    /// Make an account. The password is read from standard input, one line.
    Add {
        /// Their e-mail address.
        email: String,
        /// Their name.
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum StaffCommand {
    /// Make somebody staff, or change their tier.
    Grant {
        /// Their e-mail address.
        email: String,
        /// support, operations, engineering or `super_admin`.
        tier: String,
        /// Why; it stands in the record. 15 characters or more.
        #[arg(long)]
        reason: String,
    },
    /// Take somebody off the staff.
    Revoke {
        /// Their e-mail address.
        email: String,
        /// Why; it stands in the record. 15 characters or more.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a new signing key. Servers publish it within a minute, and sign with it after `tokens.key_activation_minutes`.
    Rotate,
}

/// What a command comes to.
pub type Done = Result<(), Box<dyn Error>>;

/// Does what the command line says.
pub async fn run(cli: Cli) -> Done {
    match &cli.command {
        Command::Openapi { print } => return print_out(*print),
        Command::Audit { command: AuditCommand::Verify(asked) } => {
            // Blocking, with nothing else to do.
            let sound = audit::verify(asked).unwrap_or_else(|error| {
                eprintln!("postern: {error}");
                std::process::exit(2)
            });
            return if sound { Ok(()) } else { Err("the log is not sound".into()) };
        }
        _ => {}
    }
    let config = Config::load(cli.config.as_deref())?;
    log::install(&config.log);
    match cli.command {
        Command::Serve { demo, no_worker } => serve::serve(config, demo, !no_worker).await,
        Command::Work => serve::work(&config).await,
        Command::Migrate => migrate(&config).await,
        Command::Doctor { json, demo } => {
            let faults = doctor::look(&config, demo).await?;
            doctor::print(&faults, json)?;
            if faults.is_empty() { Ok(()) } else { Err("not everything is as it has to be".into()) }
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
        Command::Staff { command } => staff(&config, command).await,
        Command::Keys { command: KeysCommand::Rotate } => {
            let now = SystemClock.now();
            Ok(KeyRing::open(&config.api.tokens, now)?.rotate(now)?)
        }
        Command::Audit { command: AuditCommand::RotateKey } => {
            let now = SystemClock.now();
            AuditKeys::open(&config.audit.keys_dir, config.log_name(), false, now)?.add_key(now)?;
            say(
                "servers sign with it as well within a minute; publish what `GET …/audit-log/keys` gives then",
            )
        }
        Command::Retention { command } => retention::retention(&config, command).await,
        Command::Privacy { command } => retention::privacy(&config, command).await,
        Command::Openapi { .. } | Command::Audit { .. } => Ok(()),
    }
}

fn print_out(print: Print) -> Done {
    let text = match print {
        Print::Contract => postern_api::openapi(),
        Print::Operations => postern_api::operations_table(),
        Print::Permissions => postern_api::permissions_table(),
        Print::Problems => postern_api::problems_table(),
        Print::AuditActions => postern_api::actions_table(),
    };
    Ok(io::stdout().write_all(text.as_bytes())?)
}

async fn migrate(config: &Config) -> Done {
    match schema::migrate(&config.store_options(SystemClock.now())?).await? {
        Migrated::Done => say("the schema is up to date"),
        Migrated::Faults(faults) => Err(format!(
            "the schema is up to date, but not everything around it:{}",
            doctor::told(&faults)
        )
        .into()),
        Migrated::NeedsAdministrator { sql } => {
            writeln!(io::stdout(), "{sql}")?;
            Err("roles are missing that this user may not make; have a database administrator run the above, and then run this again"
                .into())
        }
    }
}

/// The database, up to date if it is embedded.
pub(crate) async fn open(config: &Config) -> Result<Arc<Store>, Box<dyn Error>> {
    let options = config.store_options(SystemClock.now())?;
    schema::prepare(&options).await?;
    let store = Store::connect(&options).await?;
    // Where something is wrong with the database, that is said first.
    if schema::examine(&store, SystemClock.now()).await?.is_empty() {
        store.bind_audit_keys().await?;
    }
    Ok(store)
}

pub(crate) async fn load_demo(config: &Config, store: &Arc<Store>) -> Done {
    let hasher = Hasher::new(&config.api.passwords).map_err(|error| error.to_string())?;
    let turn = hasher.turn().await?;
    let password = Password::new(demo::PASSWORD);
    demo::load(store, turn.hash(&password), &cli_context()).await?;
    Ok(())
}

async fn fill_demo(config: &Config, store: &Arc<Store>, size: Size) -> Done {
    let hasher = Hasher::new(&config.api.passwords).map_err(|error| error.to_string())?;
    let turn = hasher.turn().await?;
    let password = Password::new(demo::PASSWORD);
    demo::fill(store, size, turn.hash(&password), &cli_context(), |done| {
        let bar: String = (1..=40)
            .map(|part| if u64::from(done) * 40 >= part * u64::from(size.orgs) { '#' } else { ' ' })
            .collect();
        eprint!("\r[{bar}] {done} of {} orgs", size.orgs);
    })
    .await?;
    eprintln!();
    say(&format!(
        "company-1 to company-{} have {} members each, who sign in as member-1@company-1.example",
        size.orgs, size.members
    ))
}

pub(crate) fn cli_context() -> RequestContext {
    RequestContext { now: SystemClock.now(), ids: Arc::default(), source: Source::default() }
}

/// What the command line does, as operations; they have no routes.
static ADD_USER: Operation = at_the_console("postern user add", &[Action::UserCreated]);
static CHANGE_STAFF: Operation = at_the_console("postern staff", &[Action::StaffTierChanged]);

pub(crate) const fn at_the_console(command: &'static str, records: &'static [Action]) -> Operation {
    let records = Records::Always(records);
    Operation {
        id: command,
        scope: ScopeKind::Staff,
        needs: None,
        records,
        impersonated: Impersonated::Blocked,
        demands: &[],
        deprecated: None,
    }
}

/// A unit of work in an operator's name.
pub(crate) async fn begin(
    store: &Arc<Store>,
    operation: &'static Operation,
    context: RequestContext,
) -> Result<Work<scope::Staff>, StoreError> {
    let grant = policy::authorize_cli(operation, operation.id);
    Ok(PreAuthTx::open(store, true).await?.authorized(grant, context).begin())
}

async fn add_user(config: &Config, email: &str, name: String) -> Done {
    let email = text::email(email);
    if !text::is_email(&email) {
        return Err(format!("{email} is not an e-mail address").into());
    }
    if !text::is_name(&name) {
        return Err("a name has 1 to 100 characters on one line".into());
    }
    let mut typed = String::new();
    io::stdin().read_line(&mut typed)?;
    let password = Password::new(typed.trim_end_matches(['\n', '\r']));
    password.check(&email)?;
    let hasher = Hasher::new(&config.api.passwords).map_err(|error| error.to_string())?;
    let hash = hasher.turn().await?.hash(&password).await;
    let store = open(config).await?;
    let context = cli_context();
    let mut work = begin(&store, &ADD_USER, context.clone()).await?;
    let change = NewUser::new(context.id(), email.clone(), name, hash, context.now);
    let registered = work.save(change).await.map_err(|error| match error {
        StoreError::Conflict(_) => format!("somebody has the address {email} already"),
        other => other.to_string(),
    })?;
    work.commit().await?;
    say(&format!("{email} has the account {}", registered.user.id))
}

async fn staff(config: &Config, command: StaffCommand) -> Done {
    let (email, tier, reason) = match command {
        StaffCommand::Grant { email, tier, reason } => (email, Some(tier), reason),
        StaffCommand::Revoke { email, reason } => (email, None, reason),
    };
    let known = "a tier is support, operations, engineering or super_admin";
    let tier = tier.map(|tier| Tier::parse(&tier).ok_or(known)).transpose()?;
    let reason = Reason::try_from(reason)?;
    let store = open(config).await?;
    let context = cli_context();
    let mut work = begin(&store, &CHANGE_STAFF, context.clone()).await?;
    let email = text::email(&email);
    let candidate = work
        .staff()
        .find_by_email_for_update(&email)
        .await?
        .ok_or_else(|| format!("nobody has the address {email}"))?;
    let change =
        candidate.set_tier(tier, config.api.staff.max_super_admins, &reason, context.now)?;
    let tiered = work.save(change).await?;
    if tiered.tier.is_none() {
        work.end_impersonations(ImpersonationsOf::Staff(tiered.user.id)).await?;
    }
    work.commit().await?;
    say(&match tiered.tier {
        Some(tier) => format!("{email} is staff of tier {tier}"),
        None => format!("{email} is not staff"),
    })
}

fn say(line: &str) -> Done {
    Ok(writeln!(io::stdout(), "{line}")?)
}
