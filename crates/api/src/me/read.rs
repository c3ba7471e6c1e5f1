use postern_domain::{
    impersonation_view::ImpersonationView, membership::Membership, org_key::OrgKey,
    permission::Permission, role::Role, session::Session, tier::Tier, user::User,
};
use postern_persistence::repository::page::{PageRequest, PageStart};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Listed, Paging, Problem, Query, ok},
    operations::op::{self, ListMySessions, ReadMe, ReadMyPermissions},
};

/// Current user (under impersonation, the impersonated user), with memberships, staff tier and
/// impersonation.
#[derive(Serialize, ToSchema)]
pub struct MeView {
    user: User,
    /// Memberships, at most 100: use `GET /v1/orgs` to list all. Under impersonation, only the
    /// membership in the org of the impersonation.
    #[schema(max_items = 100)]
    memberships: Vec<Membership>,
    /// Staff tier; null if the user is not staff, and under impersonation.
    staff_tier: Option<Tier>,
    /// Active impersonation of the user, or null. Show its `banner` on every page.
    impersonation: Option<ImpersonationView>,
}

/// Get the current user.
///
/// Returns the current user and their memberships. Under impersonation, this is the impersonated
/// user, and `impersonation` contains the banner to show.
#[utoipa::path(get, path = "/v1/me", tag = "me", impl_for = ReadMe, responses(
    (status = 200, description = "The current user.", body = MeView)
))]
pub async fn read_me(call: Call<op::ReadMe>) -> HandlerResult<MeView> {
    let caller = call.caller();
    let user = call.users().find(caller.effective().id).await?.ok_or_else(Problem::not_found)?;
    let memberships =
        call.orgs().page(PageRequest { from: PageStart::Newest, limit: 100 }).await?.rows;
    let impersonation = ImpersonationView::of_caller(caller);
    Ok(ok(MeView { user, memberships, staff_tier: caller.effective_tier(), impersonation }))
}

/// List your sessions.
///
/// Returns active sessions, newest first.
#[utoipa::path(
    get, path = "/v1/me/sessions", tag = "me", impl_for = ListMySessions,
    responses(
    (status = 200, description = "A page of sessions.", body = SessionPage)
))]
pub async fn list_my_sessions(
    call: Call<op::ListMySessions>,
    paging: Paging,
) -> HandlerResult<SessionPage> {
    let page = call.page(&paging)?;
    let sessions =
        call.sessions().page_of(call.caller().effective().id, call.context().now, page).await?;
    Ok(call.listed(&paging, sessions))
}

pub type SessionPage = Listed<Session>;

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PermissionsQuery {
    /// Org, by ID or slug. If omitted, no org permissions are returned.
    #[param(example = "acme")]
    org: Option<OrgKey>,
}

/// Permissions of the current user (under impersonation, of the impersonated user).
#[derive(Serialize, ToSchema)]
pub struct PermissionsView {
    /// Role in the requested org; null if no org was requested.
    role: Option<Role>,
    /// Staff tier; null if the user is not staff, and under impersonation.
    staff_tier: Option<Tier>,
    /// Permissions of the role in the org; empty if no org was requested.
    #[schema(value_type = Vec<Permission>)]
    org_permissions: Vec<&'static str>,
    /// Permissions of the staff tier; empty if `staff_tier` is null.
    #[schema(value_type = Vec<Permission>)]
    staff_permissions: Vec<&'static str>,
}

/// List your permissions.
///
/// For front ends that show only permitted actions. Returns the permissions of your staff tier and,
/// with `org`, those of your role in the org. Under impersonation, an operation can be blocked even
/// if the role permits it: see `x-impersonation` of each operation.
#[utoipa::path(
    get, path = "/v1/me/permissions", tag = "me", impl_for = ReadMyPermissions, responses(
    (status = 200, description = "Your permissions.", body = PermissionsView),
    (status = 404,
        description = "`not_found`: the org does not exist, or you are not a member of it.")
))]
pub async fn read_my_permissions(
    call: Call<op::ReadMyPermissions>,
    query: Query<PermissionsQuery>,
) -> HandlerResult<PermissionsView> {
    let role = match &query.0.org {
        Some(org) => Some(call.orgs().role_in(org).await?.ok_or_else(Problem::not_found)?),
        None => None,
    };
    let staff_tier = call.caller().effective_tier();
    let names = |is_granted: &dyn Fn(Permission) -> bool| {
        Permission::ALL
            .iter()
            .filter(|permission| is_granted(**permission))
            .map(|permission| permission.name())
            .collect()
    };
    Ok(ok(PermissionsView {
        role,
        staff_tier,
        org_permissions: names(&|permission| {
            role.is_some_and(|role| permission.granted_to_role(role))
        }),
        staff_permissions: names(&|permission| {
            staff_tier.is_some_and(|tier| permission.granted_to_tier(tier))
        }),
    }))
}
