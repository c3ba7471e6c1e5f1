use postern_persistence::repository::impersonations::ImpersonationsOf;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Answer, Call, Code, Problem, Valid, no_content},
    operations::op::{self, DeleteOrg},
};

/// The confirmation.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteOrgBody {
    /// The org's slug, typed out, so that nobody deletes the wrong one.
    #[validate(length(max = 40, message = "at most 40 characters"))]
    #[schema(example = "umbrella", max_length = 40)]
    confirm_slug: String,
}

/// Delete an org.
///
/// It is gone for all of its members at once; what it holds is purged after a grace period, and its record stays.
#[utoipa::path(delete, path = "/v1/orgs/{org}", tag = "orgs", impl_for = DeleteOrg, request_body = DeleteOrgBody, responses(
    (status = 204, description = "Gone."),
    (status = 422, description = "`not_confirmed`: the slug does not match.")
))]
pub async fn delete_org(call: Call<op::DeleteOrg>, body: Valid<DeleteOrgBody>) -> Answer<()> {
    let now = call.context().now;
    let mut work = call.begin();
    let org = work.find_org_for_update().await?.ok_or_else(Problem::not_found)?;
    let not_confirmed = |_| {
        Problem::new(Code::NotConfirmed).field(
            "/confirm_slug",
            "mismatch",
            "this is not the org's slug",
        )
    };
    let org =
        work.save(org.request_deletion(&body.confirm_slug, now).map_err(not_confirmed)?).await?;
    work.end_impersonations(ImpersonationsOf::Org(org.id)).await?;
    work.commit(no_content()).await
}
