use postern_domain::{
    org::{NewOrg, Org},
    text,
};
use postern_persistence::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, Code, FieldCode, HandlerResult, Problem, Valid, created, rules},
    operations::op::{self, CreateOrg},
};

/// The org to create.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrgBody {
    /// Display name: 1 to 100 characters on one line, at least one of them visible. Surrounding
    /// spaces are removed.
    #[validate(custom(function = "rules::name"))]
    #[schema(example = "Umbrella Corporation", min_length = 1, max_length = 100)]
    name: String,
    /// Unique short name for URLs: 3 to 40 lower-case letters, digits and single hyphens, with no
    /// hyphen at either end. It cannot be changed, and is not reused after the org is deleted.
    /// Words such as `admin`, `api` and `null`, and texts that look like an ID, are reserved.
    #[validate(custom(function = "rules::slug"))]
    #[schema(
        example = "umbrella",
        min_length = 3,
        max_length = 40,
        pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"
    )]
    slug: String,
}

/// Create an org.
///
/// You become its owner. The org starts on the `starter` plan.
#[utoipa::path(
    post, path = "/v1/orgs", tag = "orgs", impl_for = CreateOrg, request_body = CreateOrgBody,
    responses(
    (status = 201, description = "The new org. `Location` contains its path.", body = Org),
    (status = 409,
        description = "`slug_taken`: the slug belongs to an existing or a deleted org.")
))]
pub async fn create_org(
    call: Call<op::CreateOrg>,
    body: Valid<CreateOrgBody>,
) -> HandlerResult<Org> {
    let CreateOrgBody { name, slug } = body.into_inner();
    let context = call.context();
    let change = Org::create(
        context.id(),
        slug,
        text::normalized(&name),
        context.id(),
        call.caller().accountable(),
        context.now,
    );
    let mut work = call.begin();
    let NewOrg { org, .. } = work.save(change).await.map_err(|error| match error {
        StoreError::Conflict(_) => {
            Problem::new(Code::SlugTaken).field("/slug", FieldCode::Taken, "slug already taken")
        }
        other => other.into(),
    })?;
    let location = format!("/v1/orgs/{}", org.id);
    work.commit(created(org, location)).await
}
