//! `postern retention` and `postern privacy`: removal of expired events and of personal data.

use std::{io, io::Write};

use clap::Subcommand;
use postern_app::{
    cli, privacy,
    retention::{RetentionEdit, edit_retention},
};
use postern_domain::{clock::RequestContext, justification::Reason, user::UserKey};
use postern_persistence::maintenance::{AuditMaintenance, Erasure, RetainedLog, RetentionReport};

use crate::{
    config::Config,
    runtime::{CliResult, cli_context, open},
};

#[derive(Debug, Subcommand)]
pub enum RetentionCommand {
    /// Remove expired events; their hashes stay in the log. On PostgreSQL it needs
    /// `database.owner_url`: only the owner of the schema can become the audit owner role.
    Run {
        /// Only print what would be removed.
        #[arg(long)]
        dry_run: bool,
    },
    /// Set the retention of an org's events.
    Set {
        /// Slug of the org.
        org: String,
        /// Retention in days, 30 to 2557.
        #[arg(long)]
        days: i64,
        /// Reason, recorded in the org's audit log: 15 to 500 characters.
        #[arg(long)]
        reason: String,
    },
    /// Place a legal hold: an org's audit log keeps everything until `release`.
    Hold {
        /// Slug of the org.
        org: String,
        /// Reason, recorded in the org's audit log: 15 to 500 characters.
        #[arg(long)]
        reason: String,
    },
    /// Release an org's legal hold.
    Release {
        /// Slug of the org.
        org: String,
        /// Reason, recorded in the org's audit log: 15 to 500 characters.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum PrivacyCommand {
    /// Permanently erase one person's data from all events. The events can still be verified.
    Erase {
        /// User ID or e-mail address.
        #[arg(long)]
        user: UserKey,
        /// Reason, recorded in the platform log: 15 to 500 characters.
        #[arg(long)]
        reason: String,
    },
}

pub async fn retention(config: &Config, command: RetentionCommand) -> CliResult {
    let (operation, org, edit, reason) = match command {
        RetentionCommand::Run { dry_run } => return run(config, dry_run, &cli_context()).await,
        RetentionCommand::Set { org, days, reason } => {
            (&cli::SET_RETENTION, org, RetentionEdit::Keep { days }, reason)
        }
        RetentionCommand::Hold { org, reason } => {
            (&cli::HOLD_RETENTION, org, RetentionEdit::Hold, reason)
        }
        RetentionCommand::Release { org, reason } => {
            (&cli::RELEASE_RETENTION, org, RetentionEdit::Release, reason)
        }
    };
    let reason = Reason::try_from(reason)?;
    let store = open(config).await?;
    let mut work = cli::begin(&store, operation, cli_context()).await?;
    let retention = edit_retention(&mut work, &org, edit, &reason).await?;
    work.commit().await?;
    let days = retention.effective_days(config.audit.retention_days);
    let hold_note =
        if retention.held_since.is_some() { "; none are removed under the legal hold" } else { "" };
    Ok(writeln!(io::stdout(), "events of {org} are kept for {days} days{hold_note}")?)
}

async fn run(config: &Config, dry_run: bool, context: &RequestContext) -> CliResult {
    let maintenance = AuditMaintenance::connect(&config.store_options(context.now)?).await?;
    let days = config.audit.retention_days;
    let report = maintenance.apply_retention(days, dry_run, &cli::RUN_RETENTION, context).await?;
    let RetentionReport { logs, held, months } = report;
    maintenance.close().await;
    let mut out = io::stdout().lock();
    for RetainedLog { org, before, events } in &logs {
        let name = org.as_ref().map_or("the platform", |org| &org.slug);
        let verb = if dry_run { "would remove" } else { "removed" };
        writeln!(
            out,
            "{name}: {verb} the contents of {events} events from before {}",
            before.format("%Y-%m-%d")
        )?;
    }
    for org in held {
        writeln!(out, "{}: skipped, under legal hold", org.slug)?;
    }
    for month in months {
        writeln!(out, "{month}: dropped, was empty")?;
    }
    if logs.is_empty() {
        writeln!(out, "no expired events")?;
    }
    Ok(())
}

pub async fn erase(config: &Config, command: PrivacyCommand) -> CliResult {
    let PrivacyCommand::Erase { user, reason } = command;
    let reason = Reason::try_from(reason)?;
    let context = cli_context();
    let maintenance = AuditMaintenance::connect(&config.store_options(context.now)?).await?;
    let erasure = privacy::erase(&maintenance, &user, &reason, &cli::ERASE, &context).await;
    maintenance.close().await;
    let Erasure { events, held } = erasure?;
    let mut out = io::stdout().lock();
    writeln!(out, "erased {user} from {events} events; they can still be verified")?;
    for org in held {
        writeln!(out, "{}: skipped, under legal hold", org.slug)?;
    }
    Ok(())
}
