//! Staff and their tiers.

mod read;
mod remove_staff;
mod set_staff_tier;

use postern_domain::{
    id::UserId,
    justification::Reason,
    scope,
    staff::{StaffError, Tier, TierAssignment},
};

use crate::http::{Code, Problem, Routes, Unit};

pub fn routes(routes: &mut Routes) {
    routes
        .add(read::list_staff)
        .add(set_staff_tier::set_staff_tier)
        .add(remove_staff::remove_staff);
}

/// Assigns a tier to a user, or removes it if `new` is `None`.
async fn change_tier(
    work: &mut Unit<scope::Staff>,
    user: UserId,
    new: Option<Tier>,
    reason: &Reason,
    max_super_admins: u64,
) -> Result<TierAssignment, Problem> {
    let by = work.caller().map(|caller| caller.accountable().id);
    let locked = work.staff().find_for_update(user, by).await?.ok_or_else(Problem::not_found)?;
    let change = locked.set_tier(new, max_super_admins, reason, work.context().now)?;
    Ok(work.save(change).await?)
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
