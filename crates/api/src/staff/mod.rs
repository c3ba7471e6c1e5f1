//! Who of the vendor's people is staff, what that permits, and finding accounts.

mod read;
mod remove_staff;
mod search_accounts;
mod set_staff_tier;

use postern_domain::{
    id::UserId,
    justification::Reason,
    operation::Staff,
    staff::{StaffError, SuperAdmins, Tier, Tiered, set_tier},
};

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
async fn change_tier(work: &mut Unit<Staff>, user: UserId, new: Option<Tier>, reason: &Reason, at_most: u64) -> Result<Tiered, Problem> {
    let candidate = work.staff().locked(user).await?.ok_or_else(Problem::not_found)?;
    let by = work.caller().map(|caller| caller.accountable().id);
    let supers = SuperAdmins { present: candidate.super_admins, at_most };
    let now = work.stamp().now;
    let change = set_tier(candidate.user, candidate.tier, new, by, supers, reason, now)?;
    Ok(work.save(change).await?)
}

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        let code = match error {
            StaffError::TooManySuperAdmins { .. } => Code::SuperAdminLimit,
            StaffError::LastSuperAdmin => Code::LastSuperAdmin,
            StaffError::OwnTier => Code::OwnTier,
            StaffError::NotStaff => Code::NotStaff,
        };
        Self::new(code).detail(error.to_string())
    }
}
