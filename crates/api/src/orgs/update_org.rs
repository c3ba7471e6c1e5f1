use postern_domain::org::Org;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Answer, Call, Problem, Valid, ok, rules},
    operations::op::{self, UpdateOrg},
};

/// What to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOrgBody {
    /// What people call it: 1 to 100 characters on one line, without space around them.
    #[serde(default, deserialize_with = "rules::present")]
    #[validate(custom(function = "rules::name"))]
    #[schema(example = "Acme International", min_length = 1, max_length = 100, nullable = false)]
    name: Option<String>,
}

/// Rename an org.
///
/// The slug stays: addresses with it go on working.
#[utoipa::path(patch, path = "/v1/orgs/{org}", tag = "orgs", impl_for = UpdateOrg, request_body = UpdateOrgBody, responses(
    (status = 200, description = "The org as it is now.", body = Org)
))]
pub async fn update_org(call: Call<op::UpdateOrg>, body: Valid<UpdateOrgBody>) -> Answer<Org> {
    let mut work = call.begin();
    let org = work.find_org_for_update().await?.ok_or_else(Problem::not_found)?;
    let name = body.into_inner().name.unwrap_or_else(|| org.name.clone());
    let org = work.save(org.rename(name)).await?;
    work.commit(ok(org)).await
}
