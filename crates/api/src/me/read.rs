use chrono::{DateTime, Utc};
use postern_domain::{
    actor::ActiveImpersonation,
    id::ImpersonationId,
    impersonation::{self, Mode},
    org::{Membership, OrgRef},
    permission::Permission,
    role::Role,
    session::Session,
    staff::Tier,
    user::User,
};
use postern_persistence::{
    pre_auth::OrgKey,
    repository::page::{PageRequest, PageStart},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    http::{Answer, Call, Filter, Listed, Paging, Problem, Query, ok},
    operations::op::{self, ListMySessions, ReadMe, ReadMyPermissions},
};

/// The person whose rights the token exercises.
#[derive(Serialize, ToSchema)]
pub struct MeView {
    user: User,
    /// The orgs they belong to, at most a hundred; `GET /v1/orgs` has all. Under impersonation only the one it is bound to.
    #[schema(max_items = 100)]
    memberships: Vec<Membership>,
    /// Their tier, if they are staff. Never under impersonation.
    staff_tier: Option<Tier>,
    /// What to show across the page while somebody else is acting in this person's name; null otherwise.
    impersonation: Option<ImpersonationView>,
}

/// Who is really acting, and for how long.
#[derive(Serialize, ToSchema)]
pub struct ImpersonationView {
    id: ImpersonationId,
    /// Who really acts.
    actor: ActorView,
    org: OrgRef,
    mode: Mode,
    /// When it began.
    since: DateTime<Utc>,
    /// When it ends by itself.
    until: DateTime<Utc>,
    /// To be shown across every page.
    #[schema(
        example = "Sam Okoro of support is acting as Ana Costa in acme until 10:01 UTC, read-only. Everything is recorded under both names."
    )]
    banner: String,
}

/// The member of the vendor's staff who really acts.
#[derive(Serialize, ToSchema)]
pub struct ActorView {
    id: postern_domain::id::UserId,
    /// What they are called.
    #[schema(example = "Sam Okoro")]
    name: String,
    /// Where they can be reached.
    #[schema(example = "support@postern.example")]
    email: String,
}

/// Who am I?
///
/// The person whose rights the token exercises, the orgs they belong to, and, while support is acting in their name, the
/// banner that says so.
#[utoipa::path(get, path = "/v1/me", tag = "me", impl_for = ReadMe, responses(
    (status = 200, description = "You.", body = MeView)
))]
pub async fn read_me(call: Call<op::ReadMe>) -> Answer<MeView> {
    let caller = call.caller();
    let user = call.users().find(caller.effective().id).await?.ok_or_else(Problem::not_found)?;
    let memberships =
        call.orgs().page(PageRequest { from: PageStart::Newest, limit: 100 }).await?.rows;
    let impersonation = caller.impersonation().map(|impersonation| {
        let ActiveImpersonation { id, org, mode, started_at, expires_at, .. } =
            impersonation.clone();
        let actor = caller.accountable().clone();
        ImpersonationView {
            id,
            actor: ActorView { id: actor.id, name: actor.name, email: actor.email },
            org,
            mode,
            since: started_at,
            until: expires_at,
            banner: impersonation::banner(caller, impersonation),
        }
    });
    Ok(ok(MeView { user, memberships, staff_tier: caller.effective_tier(), impersonation }))
}

/// List my sessions.
///
/// Where this person is signed in right now, the last sign-in first.
#[utoipa::path(get, path = "/v1/me/sessions", tag = "me", impl_for = ListMySessions, params(Paging), responses(
    (status = 200, description = "A page of sessions.", body = SessionPage)
))]
pub async fn list_my_sessions(
    call: Call<op::ListMySessions>,
    paging: Paging,
) -> Answer<SessionPage> {
    let page = call.page(&paging)?;
    let sessions =
        call.sessions().page_of(call.caller().effective().id, call.context().now, page).await?;
    Ok(call.listed(&paging, sessions))
}

pub type SessionPage = Listed<Session>;

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PermissionsQuery {
    /// An org, by id or by slug; left out for what does not depend on one.
    #[param(max_length = 40, example = "acme")]
    #[validate(length(max = 40, message = "an id or a slug"))]
    org: Option<String>,
}

impl Filter for PermissionsQuery {
    const NAMES: &'static [&'static str] = &["org"];
}

/// What somebody may do, and by what.
#[derive(Serialize, ToSchema)]
pub struct PermissionsView {
    /// The role in the org asked for; null where none was asked for.
    role: Option<Role>,
    /// The tier; null for who is not staff, and under impersonation.
    staff_tier: Option<Tier>,
    /// What the role permits in that org.
    #[schema(value_type = Vec<Permission>)]
    org_permissions: Vec<&'static str>,
    /// What the tier permits in the staff portal.
    #[schema(value_type = Vec<Permission>)]
    staff_permissions: Vec<&'static str>,
}

/// What may I do?
///
/// For front ends that show only what will work. With `org`, what your role permits there; `404` if you do not belong to it. Under impersonation what the
/// role permits may be blocked all the same, as each operation says.
#[utoipa::path(get, path = "/v1/me/permissions", tag = "me", impl_for = ReadMyPermissions, params(PermissionsQuery), responses(
    (status = 200, description = "Your permissions.", body = PermissionsView),
    (status = 404, description = "`not_found`: no such org, or not one of yours.")
))]
pub async fn read_my_permissions(
    call: Call<op::ReadMyPermissions>,
    query: Query<PermissionsQuery>,
) -> Answer<PermissionsView> {
    let role = match &query.0.org {
        Some(org) => {
            Some(call.orgs().role_in(&OrgKey::parse(org)).await?.ok_or_else(Problem::not_found)?)
        }
        None => None,
    };
    let staff_tier = call.caller().effective_tier();
    let those = |may: &dyn Fn(Permission) -> bool| {
        Permission::ALL.iter().filter(|one| may(**one)).map(|one| one.name()).collect()
    };
    Ok(ok(PermissionsView {
        role,
        staff_tier,
        org_permissions: those(&|one| role.is_some_and(|role| one.granted_to_role(role))),
        staff_permissions: those(&|one| staff_tier.is_some_and(|tier| one.granted_to_tier(tier))),
    }))
}
