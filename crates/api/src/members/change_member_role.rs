use postern_domain::{Id, member::Member, role::Role};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Answer, Call, Problem, Valid, ok},
    operations::op::{self, ChangeMemberRole},
};

/// What the member is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMemberRoleBody {
    role: Role,
}

/// Give a member another role.
///
/// Nobody acts on, or grants, a role above their own. The last owner stays owner. Under impersonation nobody is raised to
/// admin or owner.
#[utoipa::path(patch, path = "/v1/orgs/{org}/members/{member}", tag = "members", impl_for = ChangeMemberRole,
    request_body = ChangeMemberRoleBody, responses(
    (status = 200, description = "The member as they are now.", body = Member),
    (status = 403, description = "`above_own_role`: theirs, or the new one, is above your own. `impersonation_blocked`: under impersonation nobody is made admin or owner."),
    (status = 409, description = "`last_owner`: make somebody else an owner first.")
))]
pub async fn change_member_role(
    call: Call<op::ChangeMemberRole>,
    member: Id<Member>,
    body: Valid<ChangeMemberRoleBody>,
) -> Answer<Member> {
    let mut work = call.begin();
    let roster = work
        .members()
        .find_for_update(member, work.grant().context().member)
        .await?
        .ok_or_else(Problem::not_found)?;
    let change = roster.change_role(body.role, work.grant().actor())?;
    let member = work.save(change).await?;
    work.commit(ok(member)).await
}
