use postern_app::staff;
use postern_domain::{
    id::UserId,
    justification::{Justification, Reason, TicketRef},
    user::UserKey,
};

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Valid, no_content},
    operations::op::{self, RemoveStaff},
};

/// Justification of the removal.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveStaffBody {
    reason: Reason,
    ticket_ref: TicketRef,
}

/// Remove a staff member.
///
/// They lose access to the staff operations immediately, and their active impersonations end. The
/// last super admin cannot be removed.
#[utoipa::path(
    post, path = "/v1/admin/staff/{user}/removal", tag = "staff", impl_for = RemoveStaff,
    request_body = RemoveStaffBody, responses(
    (status = 204, description = "Staff member removed."),
    (status = 403, description = "`own_tier`: you cannot change your own tier."),
    (status = 422, description = "`not_staff`: the user has no tier."),
    (status = 409, description = "`last_super_admin`: the last super admin cannot be removed. \
        Assign another super admin first.")
))]
pub async fn remove_staff(
    call: Call<op::RemoveStaff>,
    user: UserId,
    body: Valid<RemoveStaffBody>,
) -> HandlerResult<()> {
    let RemoveStaffBody { reason, ticket_ref } = body.into_inner();
    let justification = Justification { reason, ticket: Some(ticket_ref) };
    let max_super_admins = call.state().staff.max_super_admins;
    let mut work = call.begin();
    staff::set_tier(&mut work, &UserKey::Id(user), None, &justification, max_super_admins).await?;
    work.commit(no_content()).await
}
