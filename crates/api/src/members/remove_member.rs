use postern_domain::{
    Id,
    member::{Member, RemovedMember},
};
use postern_persistence::repository::impersonations::ImpersonationsOf;

use crate::{
    http::{Answer, Call, Problem, no_content},
    operations::op::{self, RemoveMember},
};

/// Remove a member.
///
/// They lose access at once; their account stays. The last owner never goes.
#[utoipa::path(delete, path = "/v1/orgs/{org}/members/{member}", tag = "members", impl_for = RemoveMember, responses(
    (status = 204, description = "RemovedMember."),
    (status = 403, description = "`above_own_role`: theirs is above your own."),
    (status = 409, description = "`last_owner`: make somebody else an owner first.")
))]
pub async fn remove_member(call: Call<op::RemoveMember>, member: Id<Member>) -> Answer<()> {
    let mut work = call.begin();
    let roster = work
        .members()
        .find_for_update(member, work.grant().context().member)
        .await?
        .ok_or_else(Problem::not_found)?;
    let RemovedMember(member) = work.save(roster.remove()?).await?;
    let org = work.grant().context().org.id;
    work.end_impersonations(ImpersonationsOf::Membership { org, target: member.user_id }).await?;
    work.commit(no_content()).await
}
