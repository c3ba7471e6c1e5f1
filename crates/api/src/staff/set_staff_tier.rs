use postern_domain::{
    Id,
    justification::Reason,
    staff::{StaffMember, Tier},
    user::User,
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::change_tier;
use crate::{
    http::{Answer, Call, Valid, ok},
    operations::op::{self, SetStaffTier},
};

/// The tier, and why.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetStaffTierBody {
    tier: Tier,
    reason: Reason,
}

/// Make somebody staff, or change their tier.
///
/// At most two super admins, unless the configuration says otherwise; and nobody changes their own tier.
#[utoipa::path(put, path = "/v1/admin/staff/{user}", tag = "staff", impl_for = SetStaffTier, request_body = SetStaffTierBody, responses(
    (status = 200, description = "The member of staff as they are now.", body = StaffMember),
    (status = 403, description = "`own_tier`: nobody changes their own."),
    (status = 409, description = "`super_admin_limit` or `last_super_admin`.")
))]
pub async fn set_staff_tier(
    call: Call<op::SetStaffTier>,
    user: Id<User>,
    body: Valid<SetStaffTierBody>,
) -> Answer<StaffMember> {
    let SetStaffTierBody { tier, reason } = body.into_inner();
    let at_most = call.state().staff.max_super_admins;
    let mut work = call.begin();
    let tiered = change_tier(&mut work, user, Some(tier), &reason, at_most).await?;
    let (id, email, name) = (tiered.user.id, tiered.user.email, tiered.user.name);
    work.commit(ok(StaffMember { user_id: id, email, name, tier, since: tiered.since })).await
}
