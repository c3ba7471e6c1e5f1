//! `postern retention` and `postern privacy`: removal of expired events and of personal data.

use std::{error::Error, io, io::Write};

use clap::Subcommand;
use postern_domain::{
    action::Action, clock::RequestContext, justification::Reason, operation::Operation, text,
};
use postern_persistence::maintenance::{
    AuditMaintenance, Erasure, RetainedLog, RetentionReport, SubjectRef,
};

use crate::{
    commands::{at_the_console, begin, cli_context, open},
    config::Config,
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
    /// Place a legal hold on an org's log: nothing is removed from it.
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
        user: String,
        /// Reason, recorded in the platform log: 15 to 500 characters.
        #[arg(long)]
        reason: String,
    },
}

static CHANGE_RETENTION: Operation =
    at_the_console("postern retention", &[Action::AuditRetentionChanged]);

pub async fn retention(config: &Config, command: RetentionCommand) -> Result<(), Box<dyn Error>> {
    let context = cli_context();
    let (org, reason) = match &command {
        RetentionCommand::Run { dry_run } => return run(config, *dry_run, &context).await,
        RetentionCommand::Set { org, reason, .. }
        | RetentionCommand::Hold { org, reason }
        | RetentionCommand::Release { org, reason } => {
            (org.clone(), Reason::try_from(reason.clone())?)
        }
    };
    let store = open(config).await?;
    let mut work = begin(&store, &CHANGE_RETENTION, context.clone()).await?;
    let rules = work
        .retentions()
        .find_for_update(&org)
        .await?
        .ok_or_else(|| format!("no org has the slug {org}"))?;
    let change = match command {
        RetentionCommand::Set { days, .. } => rules.keep_for(days, &reason)?,
        RetentionCommand::Hold { .. } => rules.hold(&reason, context.now),
        RetentionCommand::Release { .. } | RetentionCommand::Run { .. } => rules.release(&reason),
    };
    let rules = work.save(change).await?;
    work.commit().await?;
    let days = rules.days.unwrap_or(config.audit.retention_days);
    let held =
        if rules.held_since.is_some() { "; none are removed under the legal hold" } else { "" };
    Ok(writeln!(io::stdout(), "events of {org} are kept for {days} days{held}")?)
}

async fn run(
    config: &Config,
    dry_run: bool,
    context: &RequestContext,
) -> Result<(), Box<dyn Error>> {
    let maintenance = AuditMaintenance::connect(&config.store_options(context.now)?).await?;
    let RetentionReport { logs, held, months } =
        maintenance.apply_retention(config.audit.retention_days, dry_run, context).await?;
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

pub async fn privacy(config: &Config, command: PrivacyCommand) -> Result<(), Box<dyn Error>> {
    let PrivacyCommand::Erase { user, reason } = command;
    let reason = Reason::try_from(reason)?;
    let subject =
        user.parse().map_or_else(|_| SubjectRef::Email(text::email(&user)), SubjectRef::Id);
    let context = cli_context();
    let maintenance = AuditMaintenance::connect(&config.store_options(context.now)?).await?;
    let erasure = maintenance.erase(&subject, &reason, &context).await?;
    maintenance.close().await;
    let Erasure { events, held } = erasure.ok_or_else(|| format!("user {user} not found"))?;
    let mut out = io::stdout().lock();
    writeln!(out, "erased {user} from {events} events; they can still be verified")?;
    for org in held {
        writeln!(out, "{}: skipped, under legal hold", org.slug)?;
    }
    Ok(())
}
