use chrono::{DateTime, Utc};
use postern_domain::{
    feature::{Feature, FeatureKey, Plan},
    org::{Membership, Org},
    role::Role,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Answer, Call, Listed, Paging, ok},
    operations::op::{self, ListMyOrgs, ReadDashboard, ReadOrg},
};

/// List my orgs.
///
/// Those you belong to, the last joined first, with your role in each. Under impersonation only the one it is bound to.
#[utoipa::path(get, path = "/v1/orgs", tag = "orgs", impl_for = ListMyOrgs, params(Paging), responses(
    (status = 200, description = "A page of orgs.", body = MembershipPage)
))]
pub async fn list_my_orgs(call: Call<op::ListMyOrgs>, paging: Paging) -> Answer<MembershipPage> {
    let page = call.orgs().page(call.page(&paging)?).await?;
    Ok(call.listed(&paging, page))
}

pub type MembershipPage = Listed<Membership>;

/// Read an org.
///
/// Its name, plan and limits.
#[utoipa::path(get, path = "/v1/orgs/{org}", tag = "orgs", impl_for = ReadOrg, responses(
    (status = 200, description = "The org.", body = Org)
))]
pub async fn read_org(call: Call<op::ReadOrg>) -> Answer<Org> {
    Ok(ok(call.grant().context().org.clone()))
}

/// An org at a glance.
#[derive(Serialize, ToSchema)]
pub struct DashboardView {
    /// How many there are of each.
    members_by_role: MembersByRole,
    /// What is used, against what there may be.
    usage: Vec<UsageView>,
    plan: Plan,
    /// The end of the trial, while there is one.
    trial_ends_at: Option<DateTime<Utc>>,
    /// The features that are on.
    features: Vec<FeatureKey>,
    /// When anything was last recorded.
    last_activity_at: Option<DateTime<Utc>>,
}

/// How many members there are in each role.
#[derive(Default, Serialize, ToSchema)]
pub struct MembersByRole {
    /// How many owners.
    #[schema(example = 1)]
    owner: u64,
    /// How many admins.
    #[schema(example = 2)]
    admin: u64,
    /// How many members.
    #[schema(example = 30)]
    member: u64,
    /// How many viewers.
    #[schema(example = 4)]
    viewer: u64,
}

/// How much of something is used.
#[derive(Serialize, ToSchema)]
pub struct UsageView {
    /// What is counted: `users` and `projects` that there are now, `api_calls` since the org was founded.
    #[schema(example = "users")]
    metric: String,
    /// How much there is now.
    #[schema(example = 37)]
    used: i64,
    /// How much there may be; null where nothing limits it.
    #[schema(example = 500)]
    limit: Option<i64>,
}

/// See an org at a glance.
///
/// Members by role, usage against the plan's limits, plan, trial, features that are on, and the last activity.
#[utoipa::path(get, path = "/v1/orgs/{org}/dashboard", tag = "orgs", impl_for = ReadDashboard, responses(
    (status = 200, description = "The dashboard.", body = DashboardView)
))]
pub async fn read_dashboard(call: Call<op::ReadDashboard>) -> Answer<DashboardView> {
    let org = &call.grant().context().org;
    let counted = call.stats().count().await?;
    let overrides = call.features().overrides().await?;

    let mut members_by_role = MembersByRole::default();
    for (role, count) in &counted.members {
        match role {
            Role::Owner => members_by_role.owner = *count,
            Role::Admin => members_by_role.admin = *count,
            Role::Member => members_by_role.member = *count,
            Role::Viewer => members_by_role.viewer = *count,
        }
    }
    let users = counted.members.iter().map(|(_, count)| *count).sum::<u64>();
    let users = UsageView {
        metric: "users".to_owned(),
        used: users.cast_signed(),
        limit: Some(org.limits.max_users),
    };
    let rest = counted.usage.into_iter().map(|(metric, used)| {
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
        last_activity_at: counted.last_activity_at,
    }))
}
