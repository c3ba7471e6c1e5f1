use postern_domain::{
    id::{ImpersonationId, UserId},
    impersonation::ImpersonationStatus,
    impersonation_view::ImpersonationView,
    permission::Permission,
};
use postern_persistence::repository::impersonation_filter::ImpersonationFilter;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Listed, OrgFilter, Paging, Problem, Query, ok, rules},
    operations::op::{
        self, ListImpersonations, ListOrgImpersonations, ReadImpersonation, ReadOrgImpersonation,
    },
};

/// Filter for impersonations. An impersonation must match all given parameters.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImpersonationsQuery {
    /// Status of the impersonations.
    status: Option<ImpersonationStatus>,
    /// ID of the staff member.
    #[param(value_type = Option<UserId>)]
    staff: Option<UserId>,
    /// ID of the impersonated user.
    #[param(value_type = Option<UserId>)]
    user: Option<UserId>,
    /// Reference of the support ticket, in upper or lower case.
    #[param(max_length = 64, example = "SUP-4312")]
    #[validate(
        length(max = 64, message = "at most 64 characters"),
        custom(function = "rules::visible")
    )]
    ticket_ref: Option<String>,
}

impl From<ImpersonationsQuery> for ImpersonationFilter {
    fn from(query: ImpersonationsQuery) -> Self {
        let ImpersonationsQuery { status, staff, user, ticket_ref } = query;
        Self { status, staff, user, ticket_ref, ..Self::default() }
    }
}

/// List impersonations.
///
/// Returns active, ended and expired impersonations, newest first. The tiers `support` and
/// `operations` see only their own; `engineering` and `super_admin` see all.
#[utoipa::path(
    get, path = "/v1/admin/impersonations", tag = "support", impl_for = ListImpersonations,
    responses(
    (status = 200, description = "A page of impersonations.", body = ImpersonationPage)
))]
pub async fn list_impersonations(
    call: Call<op::ListImpersonations>,
    paging: Paging,
    org: Query<OrgFilter>,
    query: Query<ImpersonationsQuery>,
) -> HandlerResult<ImpersonationPage> {
    let sees_all = call.has_permission(Permission::ImpersonationEndAny);
    let own = call.staff_caller().accountable().id;
    let filter = ImpersonationFilter {
        org: org.0.org,
        only_by: (!sees_all).then_some(own),
        ..query.0.into()
    };
    let (now, page) = (call.context().now, call.page(&paging)?);
    let impersonations = call.impersonations().page(&filter, now, page).await?;
    Ok(call.listed(&paging, impersonations))
}

pub type ImpersonationPage = Listed<ImpersonationView>;

/// Get an impersonation.
///
/// The tiers `support` and `operations` can read only their own impersonations; `engineering` and
/// `super_admin` can read all.
#[utoipa::path(
    get, path = "/v1/admin/impersonations/{impersonation}", tag = "support",
    impl_for = ReadImpersonation, responses(
    (status = 200, description = "The impersonation.", body = ImpersonationView)
))]
pub async fn read_impersonation(
    call: Call<op::ReadImpersonation>,
    impersonation: ImpersonationId,
) -> HandlerResult<ImpersonationView> {
    let sees_all = call.has_permission(Permission::ImpersonationEndAny);
    let own = call.staff_caller().accountable().id;
    let impersonation = call.impersonations().find(impersonation, call.context().now).await?;
    impersonation
        .filter(|impersonation| sees_all || impersonation.staff.id == own)
        .map(ok)
        .ok_or_else(Problem::not_found)
}

/// List support impersonations of this org's members.
///
/// Returns active, ended and expired impersonations with their reason and ticket, newest first.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/impersonations", tag = "audit", impl_for = ListOrgImpersonations,
    responses(
    (status = 200, description = "A page of impersonations.", body = ImpersonationPage)
))]
pub async fn list_org_impersonations(
    call: Call<op::ListOrgImpersonations>,
    paging: Paging,
    query: Query<ImpersonationsQuery>,
) -> HandlerResult<ImpersonationPage> {
    let (now, page) = (call.context().now, call.page(&paging)?);
    let impersonations = call.impersonations().page(&query.0.into(), now, page).await?;
    Ok(call.listed(&paging, impersonations))
}

/// Get a support impersonation of a member of this org.
///
/// Returns the impersonation with its reason and ticket.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/impersonations/{impersonation}", tag = "audit",
    impl_for = ReadOrgImpersonation, responses(
    (status = 200, description = "The impersonation.", body = ImpersonationView)
))]
pub async fn read_org_impersonation(
    call: Call<op::ReadOrgImpersonation>,
    impersonation: ImpersonationId,
) -> HandlerResult<ImpersonationView> {
    let impersonation = call.impersonations().find(impersonation, call.context().now).await?;
    impersonation.map(ok).ok_or_else(Problem::not_found)
}
