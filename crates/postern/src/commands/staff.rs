//! `postern staff`: assigns and removes staff tiers.

use clap::Subcommand;
use postern_app::{cli, staff};
use postern_domain::{
    justification::{Justification, Reason, TicketRef},
    tier::Tier,
    user::UserKey,
};

use crate::{
    config::Config,
    runtime::{CliResult, cli_context, open, say},
};

#[derive(Debug, Subcommand)]
pub enum StaffCommand {
    /// Assign a staff tier to a user.
    Grant {
        /// User ID or e-mail address.
        user: UserKey,
        /// New tier: support, operations, engineering or `super_admin`.
        tier: String,
        /// Reason, recorded in the audit log: 15 to 500 characters, at least 8 of them letters or
        /// digits.
        #[arg(long)]
        reason: String,
        /// Ticket reference, such as SUP-4312, recorded in the audit log. Optional.
        #[arg(long)]
        ticket: Option<String>,
    },
    /// Remove a staff member.
    Revoke {
        /// User ID or e-mail address.
        user: UserKey,
        /// Reason, recorded in the audit log: 15 to 500 characters, at least 8 of them letters or
        /// digits.
        #[arg(long)]
        reason: String,
        /// Ticket reference, such as SUP-4312, recorded in the audit log. Optional.
        #[arg(long)]
        ticket: Option<String>,
    },
}

pub async fn run(config: &Config, command: StaffCommand) -> CliResult {
    let (operation, user, tier, reason, ticket) = match command {
        StaffCommand::Grant { user, tier, reason, ticket } => {
            (&cli::GRANT_STAFF, user, Some(tier), reason, ticket)
        }
        StaffCommand::Revoke { user, reason, ticket } => {
            (&cli::REVOKE_STAFF, user, None, reason, ticket)
        }
    };
    let tier = tier.map(|tier| parse_tier(&tier)).transpose()?;
    let justification = Justification {
        reason: Reason::try_from(reason)?,
        ticket: ticket.map(TicketRef::try_from).transpose()?,
    };
    let store = open(config).await?;
    let mut work = cli::begin(&store, operation, cli_context()).await?;
    let max_super_admins = config.api.staff.max_super_admins;
    let assignment =
        staff::set_tier(&mut work, &user, tier, &justification, max_super_admins).await?;
    work.commit().await?;
    let email = assignment.user.email;
    say(&match assignment.tier {
        Some(tier) => format!("granted {email} the {tier} tier"),
        None => format!("removed {email} from staff"),
    })
}

fn parse_tier(text: &str) -> Result<Tier, String> {
    let tiers = || Tier::ALL.iter().map(|tier| tier.name()).collect::<Vec<_>>().join(", ");
    Tier::parse(text).ok_or_else(|| format!("unknown tier: use one of {}", tiers()))
}
