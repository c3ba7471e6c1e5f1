use postern_app::staff;
use postern_domain::{
    id::UserId,
    justification::{Justification, Reason, TicketRef},
    staff::StaffMember,
    tier::Tier,
    user::UserKey,
};

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Valid, ok},
    operations::op::{self, SetStaffTier},
};

/// Tier to assign, and the justification.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetStaffTierBody {
    tier: Tier,
    reason: Reason,
    ticket_ref: TicketRef,
}

/// Set the staff tier of a user.
///
/// Adds the user to staff, or changes their tier. You cannot change your own tier. The setting
/// `staff.max_super_admins` (default 2) limits the number of super admins.
#[utoipa::path(
    put, path = "/v1/admin/staff/{user}", tag = "staff", impl_for = SetStaffTier,
    request_body = SetStaffTierBody, responses(
    (status = 200, description = "The staff member.", body = StaffMember),
    (status = 403, description = "`own_tier`: you cannot change your own tier."),
    (status = 409, description = "`super_admin_limit`: the maximum number of super admins is \
        reached. `last_super_admin`: the last super admin cannot be demoted.")
))]
pub async fn set_staff_tier(
    call: Call<op::SetStaffTier>,
    user: UserId,
    body: Valid<SetStaffTierBody>,
) -> HandlerResult<StaffMember> {
    let SetStaffTierBody { tier, reason, ticket_ref } = body.into_inner();
    let justification = Justification { reason, ticket: Some(ticket_ref) };
    let max_super_admins = call.state().staff.max_super_admins;
    let mut work = call.begin();
    let assignment = staff::set_tier(
        &mut work,
        &UserKey::Id(user),
        Some(tier),
        &justification,
        max_super_admins,
    )
    .await?;
    let (id, email, name) = (assignment.user.id, assignment.user.email, assignment.user.name);
    work.commit(ok(StaffMember { user_id: id, email, name, tier, since: assignment.since })).await
}
