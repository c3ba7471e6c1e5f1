use chrono::{DateTime, Utc};
use postern_domain::{
    feature::{Feature, FeatureKey},
    membership::Membership,
    org::Org,
    plan::Plan,
    role::Role,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Call, HandlerResult, Listed, Paging, ok},
    operations::op::{self, ListMyOrgs, ReadDashboard, ReadOrg},
};

/// List your orgs.
///
/// Returns the orgs you are a member of, with your role in each, most recently joined first. Under
/// impersonation, only the org of the impersonation.
#[utoipa::path(
    get, path = "/v1/orgs", tag = "orgs", impl_for = ListMyOrgs, responses(
    (status = 200, description = "A page of orgs.", body = MembershipPage)
))]
pub async fn list_my_orgs(
    call: Call<op::ListMyOrgs>,
    paging: Paging,
) -> HandlerResult<MembershipPage> {
    let page = call.orgs().page(call.page(&paging)?).await?;
    Ok(call.listed(&paging, page))
}

pub type MembershipPage = Listed<Membership>;

/// Get an org.
///
/// Returns the org with its plan and limits.
#[utoipa::path(get, path = "/v1/orgs/{org}", tag = "orgs", impl_for = ReadOrg, responses(
    (status = 200, description = "The org.", body = Org)
))]
pub async fn read_org(call: Call<op::ReadOrg>) -> HandlerResult<Org> {
    Ok(ok(call.grant().context().org.clone()))
}

/// Overview of an org.
#[derive(Serialize, ToSchema)]
pub struct DashboardView {
    /// Number of members by role.
    members_by_role: MembersByRole,
    /// Usage by metric.
    usage: Vec<UsageView>,
    plan: Plan,
    /// End of the trial; null if there is none.
    trial_ends_at: Option<DateTime<Utc>>,
    /// Enabled features.
    features: Vec<FeatureKey>,
    /// Time of the latest audit event; null if there is none.
    last_activity_at: Option<DateTime<Utc>>,
}

/// Number of members by role.
#[derive(Default, Serialize, ToSchema)]
pub struct MembersByRole {
    /// Number of owners.
    #[schema(example = 1)]
    owner: u64,
    /// Number of admins.
    #[schema(example = 2)]
    admin: u64,
    /// Number of members with the role `member`.
    #[schema(example = 30)]
    member: u64,
    /// Number of viewers.
    #[schema(example = 4)]
    viewer: u64,
}

/// Usage of one metric.
#[derive(Serialize, ToSchema)]
pub struct UsageView {
    /// Metric: `users` and `projects` are current counts, `api_calls` is the total since the org
    /// was created.
    #[schema(example = "users", max_length = 40)]
    metric: String,
    /// Current value.
    #[schema(example = 37)]
    used: i64,
    /// Limit of the org; null if the metric is not limited.
    #[schema(example = 500)]
    limit: Option<i64>,
}

/// Get the dashboard of an org.
///
/// Returns the number of members by role, usage and limits, plan, trial, enabled features and the
/// time of the latest audit event.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/dashboard", tag = "orgs", impl_for = ReadDashboard, responses(
    (status = 200, description = "The dashboard.", body = DashboardView)
))]
pub async fn read_dashboard(call: Call<op::ReadDashboard>) -> HandlerResult<DashboardView> {
    let org = &call.grant().context().org;
    let counts = call.stats().count().await?;
    let overrides = call.features().overrides().await?;

    let mut members_by_role = MembersByRole::default();
    for (role, count) in &counts.members {
        match role {
            Role::Owner => members_by_role.owner = *count,
            Role::Admin => members_by_role.admin = *count,
            Role::Member => members_by_role.member = *count,
            Role::Viewer => members_by_role.viewer = *count,
        }
    }
    let users = counts.members.iter().map(|(_, count)| *count).sum::<u64>();
    let users = UsageView {
        metric: "users".to_owned(),
        used: users.cast_signed(),
        limit: Some(org.limits.max_users),
    };
    let rest = counts.usage.into_iter().map(|(metric, used)| {
        let limit = (metric == "projects").then_some(org.limits.max_projects);
        UsageView { metric, used, limit }
    });
    let features = Feature::decide_all(org.plan, &overrides, call.context().now);
    Ok(ok(DashboardView {
        members_by_role,
        usage: std::iter::once(users).chain(rest).collect(),
        plan: org.plan,
        trial_ends_at: org.trial_ends_at,
        features: features
            .into_iter()
            .filter(|feature| feature.enabled)
            .map(|feature| feature.key)
            .collect(),
        last_activity_at: counts.last_activity_at,
    }))
}
