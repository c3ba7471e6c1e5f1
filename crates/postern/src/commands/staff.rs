//! `postern staff`: assigns and removes staff tiers.

use clap::Subcommand;
use postern_app::{cli, staff};
use postern_domain::{justification::Reason, tier::Tier, user::UserRef};

use crate::{
    config::Config,
    runtime::{CliResult, cli_context, open, say},
};

#[derive(Debug, Subcommand)]
pub enum StaffCommand {
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

pub async fn run(config: &Config, command: StaffCommand) -> CliResult {
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
