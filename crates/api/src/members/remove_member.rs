use postern_domain::id::MemberId;

use crate::{
    http::{Call, HandlerResult, Problem, no_content},
    operations::op::{self, RemoveMember},
};

/// Remove a member.
///
/// The user loses access to the org immediately, and impersonations of them in the org end. Their
/// account is kept. You cannot remove members whose role is above yours, or the last owner.
#[utoipa::path(
    delete, path = "/v1/orgs/{org}/members/{member}", tag = "members", impl_for = RemoveMember,
    responses(
    (status = 204, description = "Member removed."),
    (status = 403, description = "`above_own_role`: the role of the member is above yours."),
    (status = 409,
        description = "`last_owner`: the last owner cannot be removed. Add another owner first.")
))]
pub async fn remove_member(call: Call<op::RemoveMember>, member: MemberId) -> HandlerResult<()> {
    let mut work = call.begin();
    let locked = work
        .members()
        .find_for_update(member, work.grant().context().member)
        .await?
        .ok_or_else(Problem::not_found)?;
    work.save(locked.remove()?).await?;
    work.commit(no_content()).await
}
