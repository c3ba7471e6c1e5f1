//! Who of the vendor's people is staff, what that permits, and finding accounts.

mod read;
mod remove_staff;
mod search_accounts;
mod set_staff_tier;

use postern_domain::{
    id::UserId,
    justification::Reason,
    scope,
    staff::{StaffError, Tier, TierAssignment},
};
use postern_persistence::repository::impersonations::ImpersonationsOf;

use crate::http::{Code, Problem, Routes, Unit};

pub fn routes(routes: &mut Routes) {
    routes
        .add(search_accounts::search_accounts)
        .add(read::list_staff)
        .add(set_staff_tier::set_staff_tier)
        .add(remove_staff::remove_staff)
        .add(read::read_policy);
}

/// Gives somebody a tier, or takes theirs away: all but the answer of both operations.
async fn change_tier(
    work: &mut Unit<scope::Staff>,
    user: UserId,
    new: Option<Tier>,
    reason: &Reason,
    at_most: u64,
) -> Result<TierAssignment, Problem> {
    let by = work.caller().map(|caller| caller.accountable().id);
    let candidate = work.staff().find_for_update(user, by).await?.ok_or_else(Problem::not_found)?;
    let change = candidate.set_tier(new, at_most, reason, work.context().now)?;
    let tiered = work.save(change).await?;
    if tiered.tier.is_none() {
        work.end_impersonations(ImpersonationsOf::Staff(user)).await?;
    }
    Ok(tiered)
}

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        let code = match error {
            StaffError::TooManySuperAdmins { .. } => Code::SuperAdminLimit,
            StaffError::LastSuperAdmin => Code::LastSuperAdmin,
            StaffError::OwnTier => Code::OwnTier,
            StaffError::NotStaff => Code::NotStaff,
            StaffError::NoLongerAllowed => Code::PermissionDenied,
        };
        Self::new(code).detail(error.to_string())
    }
}
