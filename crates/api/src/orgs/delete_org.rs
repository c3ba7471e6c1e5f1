use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, Code, FieldCode, HandlerResult, Problem, Valid, no_content},
    operations::op::{self, DeleteOrg},
};

/// Confirmation of the deletion.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteOrgBody {
    /// Slug of the org, to confirm that the right org is deleted.
    #[validate(length(max = 40, message = "at most 40 characters"))]
    #[schema(example = "umbrella", max_length = 40)]
    confirm_slug: String,
}

/// Delete an org.
///
/// Members lose access immediately, and impersonations in the org end. This version does not purge
/// the data of the org; its audit log is kept.
#[utoipa::path(
    post, path = "/v1/orgs/{org}/deletion", tag = "orgs", impl_for = DeleteOrg,
    request_body = DeleteOrgBody, responses(
    (status = 204, description = "Deletion requested."),
    (status = 422,
        description = "`not_confirmed`: `confirm_slug` is not the slug of the org.")
))]
pub async fn delete_org(
    call: Call<op::DeleteOrg>,
    body: Valid<DeleteOrgBody>,
) -> HandlerResult<()> {
    let now = call.context().now;
    let mut work = call.begin();
    let org = work.find_org_for_update().await?.ok_or_else(Problem::not_found)?;
    let not_confirmed = |_| {
        Problem::new(Code::NotConfirmed).field(
            "/confirm_slug",
            FieldCode::Mismatch,
            "does not match the slug of the org",
        )
    };
    work.save(org.request_deletion(&body.confirm_slug, now).map_err(not_confirmed)?).await?;
    work.commit(no_content()).await
}
