use postern_domain::{id::MemberId, member::Member, role::Role};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Problem, Valid, ok},
    operations::op::{self, ChangeMemberRole},
};

/// The new role.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMemberRoleBody {
    role: Role,
}

/// Change a member's role.
///
/// You cannot change members whose role is above yours, or grant a role above yours. The last owner
/// cannot be demoted. Promotion to admin or owner is blocked under impersonation.
#[utoipa::path(
    patch, path = "/v1/orgs/{org}/members/{member}", tag = "members", impl_for = ChangeMemberRole,
    request_body = ChangeMemberRoleBody, responses(
    (status = 200, description = "The updated member.", body = Member),
    (status = 403, description = "`above_own_role`: the current or the new role is above yours. \
        `impersonation_blocked`: promotion to admin or owner is blocked under impersonation."),
    (status = 409,
        description = "`last_owner`: the last owner cannot be demoted. Add another owner first.")
))]
pub async fn change_member_role(
    call: Call<op::ChangeMemberRole>,
    member: MemberId,
    body: Valid<ChangeMemberRoleBody>,
) -> HandlerResult<Member> {
    let mut work = call.begin();
    let locked = work
        .members()
        .find_for_update(member, work.grant().context().member)
        .await?
        .ok_or_else(Problem::not_found)?;
    let change = locked.change_role(body.role, work.grant().actor())?;
    let member = work.save(change).await?;
    work.commit(ok(member)).await
}
