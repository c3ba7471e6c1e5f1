//! `postern retention` and `postern privacy`: what is removed from the record, when and by whom.

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
    /// Remove what events said whose time is over; their hashes stay. On PostgreSQL as the owner of the schema, in the keeper's name.
    Run {
        /// Only say what would go.
        #[arg(long)]
        dry_run: bool,
    },
    /// Say how long an org's events are kept.
    Set {
        /// The org's slug.
        org: String,
        /// 30 to 2557.
        #[arg(long)]
        days: i64,
        /// Why; it stands in the org's log. 15 characters or more.
        #[arg(long)]
        reason: String,
    },
    /// Put a legal hold on an org's log: nothing goes from it, whatever its age.
    Hold {
        org: String,
        #[arg(long)]
        reason: String,
    },
    /// Lift the hold.
    Release {
        org: String,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum PrivacyCommand {
    /// Remove what is about one person from all events, for good. What is left can still be checked.
    Erase {
        /// Whom, by id or by e-mail address.
        #[arg(long)]
        user: String,
        /// Why; it stands in the platform's log. 15 characters or more.
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
        .ok_or_else(|| format!("there is no org {org}"))?;
    let change = match command {
        RetentionCommand::Set { days, .. } => rules.keep_for(days, &reason)?,
        RetentionCommand::Hold { .. } => rules.hold(&reason, context.now),
        RetentionCommand::Release { .. } | RetentionCommand::Run { .. } => rules.release(&reason),
    };
    let rules = work.save(change).await?;
    work.commit().await?;
    let days = rules.days.unwrap_or(config.audit.retention_days);
    let held =
        if rules.held_since.is_some() { ", but nothing goes while the hold is on it" } else { "" };
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
        let verb = if dry_run { "would go" } else { "went" };
        writeln!(
            out,
            "{name}: what {events} events from before {} said {verb}",
            before.format("%Y-%m-%d")
        )?;
    }
    for org in held {
        writeln!(out, "{}: a legal hold is on it", org.slug)?;
    }
    for month in months {
        writeln!(out, "{month}: empty, and dropped")?;
    }
    if logs.is_empty() {
        writeln!(out, "nothing is old enough to go")?;
    }
    Ok(())
}

pub async fn privacy(config: &Config, command: PrivacyCommand) -> Result<(), Box<dyn Error>> {
    let PrivacyCommand::Erase { user, reason } = command;
    let reason = Reason::try_from(reason)?;
    let who = user.parse().map_or_else(|_| SubjectRef::Email(text::email(&user)), SubjectRef::Id);
    let context = cli_context();
    let maintenance = AuditMaintenance::connect(&config.store_options(context.now)?).await?;
    let erased = maintenance.erase(&who, &reason, &context).await?;
    maintenance.close().await;
    let Erasure { events, held } = erased.ok_or_else(|| format!("nobody is known as {user}"))?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{user} was taken out of {events} events; what is left of them can still be checked"
    )?;
    for org in held {
        writeln!(out, "{}: a legal hold is on it, and nothing was taken out of it", org.slug)?;
    }
    Ok(())
}
