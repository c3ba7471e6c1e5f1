//! Staff tiers.

use postern_domain::{
    justification::Justification,
    scope,
    staff::{StaffError, TierAssignment},
    tier::Tier,
    user::UserKey,
};
use postern_persistence::unit::Work;

use crate::UseCaseError;

/// Assigns a tier to a user, or removes them from staff if `tier` is `None`.
pub async fn set_tier(
    work: &mut Work<scope::Staff>,
    user: &UserKey,
    tier: Option<Tier>,
    justification: &Justification,
    max_super_admins: u64,
) -> Result<TierAssignment, UseCaseError<StaffError>> {
    let decided_by = work.caller().map(|caller| caller.accountable().id);
    let staff = work
        .staff()
        .find_for_update(user, decided_by)
        .await?
        .ok_or_else(|| UseCaseError::NotFound(format!("user {user}")))?;
    let change = staff
        .set_tier(tier, max_super_admins, justification, work.context().now)
        .map_err(UseCaseError::Rule)?;
    Ok(work.save(change).await?)
}
