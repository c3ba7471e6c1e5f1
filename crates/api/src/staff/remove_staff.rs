use postern_domain::{Id, justification::Reason, user::User};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::change_tier;
use crate::{
    http::{Answer, Call, Valid, no_content},
    operations::op::{self, RemoveStaff},
};

/// The justification.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveStaffBody {
    reason: Reason,
}

/// Take somebody off the staff.
///
/// They lose the staff portal and every running impersonation at once. The last super admin stays one.
#[utoipa::path(delete, path = "/v1/admin/staff/{user}", tag = "staff", impl_for = RemoveStaff, request_body = RemoveStaffBody, responses(
    (status = 204, description = "No longer staff."),
    (status = 403, description = "`own_tier`: nobody changes their own."),
    (status = 422, description = "`not_staff`: there is no tier to take away."),
    (status = 409, description = "`last_super_admin`: make somebody else one first.")
))]
pub async fn remove_staff(
    call: Call<op::RemoveStaff>,
    user: Id<User>,
    body: Valid<RemoveStaffBody>,
) -> Answer<()> {
    let at_most = call.state().staff.max_super_admins;
    let mut work = call.begin();
    change_tier(&mut work, user, None, &body.reason, at_most).await?;
    work.commit(no_content()).await
}
