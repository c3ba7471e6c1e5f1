use postern_domain::{id::MemberId, member::Member, role::Role};
use postern_persistence::repository::members::MemberFilter;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Listed, Paging, Problem, Query, ok, rules},
    operations::op::{self, ListMembers, ReadMember},
};

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MembersQuery {
    /// Text contained in the name or e-mail address.
    #[param(max_length = 100, example = "costa")]
    #[validate(custom(function = "rules::filter_text"))]
    q: Option<String>,
    /// Role of the members.
    role: Option<Role>,
}

/// List members.
///
/// Returns the members of the org, most recently joined first.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/members", tag = "members", impl_for = ListMembers, responses(
    (status = 200, description = "A page of members.", body = MemberPage)
))]
pub async fn list_members(
    call: Call<op::ListMembers>,
    paging: Paging,
    query: Query<MembersQuery>,
) -> HandlerResult<MemberPage> {
    let MembersQuery { q, role } = query.0;
    let members = call.members().page(&MemberFilter { q, role }, call.page(&paging)?).await?;
    Ok(call.listed(&paging, members))
}

pub type MemberPage = Listed<Member>;

/// Get a member.
///
/// Returns one member of the org with their role.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/members/{member}", tag = "members", impl_for = ReadMember,
    responses(
    (status = 200, description = "The member.", body = Member)
))]
pub async fn read_member(call: Call<op::ReadMember>, member: MemberId) -> HandlerResult<Member> {
    let member = call.members().find(member).await?.ok_or_else(Problem::not_found)?;
    Ok(ok(member))
}
