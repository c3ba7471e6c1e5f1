use postern_domain::org::{NewOrg, Org};
use postern_persistence::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Answer, Call, Code, Problem, Valid, created, rules},
    operations::op::{self, CreateOrg},
};

/// The org that is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrgBody {
    /// What people call it: 1 to 100 characters on one line, without space around them.
    #[validate(custom(function = "rules::name"))]
    #[schema(example = "Umbrella Corporation", min_length = 1, max_length = 100)]
    name: String,
    /// 3 to 40 lower-case letters, digits and single hyphens; never given out again.
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
/// You become its owner. It starts on the `starter` plan.
#[utoipa::path(post, path = "/v1/orgs", tag = "orgs", impl_for = CreateOrg, request_body = CreateOrgBody, responses(
    (status = 201, description = "The new org; `Location` is its address.", body = Org),
    (status = 409, description = "`slug_taken`: by an org that there is, or was.")
))]
pub async fn create_org(call: Call<op::CreateOrg>, body: Valid<CreateOrgBody>) -> Answer<Org> {
    let CreateOrgBody { name, slug } = body.into_inner();
    let context = call.context();
    let change = Org::found(
        context.id(),
        slug,
        name,
        context.id(),
        call.caller().accountable(),
        context.now,
    );
    let mut work = call.begin();
    let NewOrg { org, .. } = work.save(change).await.map_err(|error| match error {
        StoreError::Conflict(_) => {
            Problem::new(Code::SlugTaken).field("/slug", "taken", "this slug is taken")
        }
        other => other.into(),
    })?;
    let location = format!("/v1/orgs/{}", org.id);
    work.commit(created(org, location)).await
}
