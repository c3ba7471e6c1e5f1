use postern_domain::{org::Org, text};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Problem, Valid, ok, rules},
    operations::op::{self, UpdateOrg},
};

/// Changes to the org. Omitted fields keep their value.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOrgBody {
    /// Display name: 1 to 100 characters on one line, at least one of them visible. Surrounding
    /// spaces are removed.
    #[serde(default, deserialize_with = "rules::present")]
    #[validate(custom(function = "rules::name"))]
    #[schema(example = "Acme International", min_length = 1, max_length = 100, nullable = false)]
    name: Option<String>,
}

/// Update an org.
///
/// Changes its display name. The slug does not change, so URLs that contain it remain valid.
#[utoipa::path(
    patch, path = "/v1/orgs/{org}", tag = "orgs", impl_for = UpdateOrg,
    request_body = UpdateOrgBody, responses(
    (status = 200, description = "The updated org.", body = Org)
))]
pub async fn update_org(
    call: Call<op::UpdateOrg>,
    body: Valid<UpdateOrgBody>,
) -> HandlerResult<Org> {
    let mut work = call.begin();
    let org = work.find_org_for_update().await?.ok_or_else(Problem::not_found)?;
    let name = body.name.as_deref().map_or_else(|| org.name.clone(), text::normalized);
    let org = work.save(org.rename(name)).await?;
    work.commit(ok(org)).await
}
