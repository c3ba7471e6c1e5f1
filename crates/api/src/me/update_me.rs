use postern_domain::{text, user::User};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, HandlerResult, Problem, Valid, ok, rules},
    operations::op::{self, UpdateMe},
};

/// Changes to the profile. Omitted fields keep their value.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMeBody {
    /// Display name: 1 to 100 characters on one line, at least one of them visible. Surrounding
    /// spaces are removed.
    #[serde(default, deserialize_with = "rules::present")]
    #[validate(custom(function = "rules::name"))]
    #[schema(example = "Ana Costa", min_length = 1, max_length = 100, nullable = false)]
    name: Option<String>,
    /// URL of the picture: `https`, with a public host name and no port. Null removes the picture.
    #[serde(default, deserialize_with = "rules::maybe")]
    #[validate(custom(function = "rules::picture_url"))]
    #[schema(
        value_type = Option<String>, example = "https://cdn.acme.example/ana.png",
        max_length = 500, pattern = "^https://[^/?#:@]+\\.[^/?#:@.]+(/[!-~]*)?$"
    )]
    image_url: Option<Option<String>>,
}

/// Update your profile.
///
/// Changes the name and picture that other users see.
#[utoipa::path(
    patch, path = "/v1/me", tag = "me", impl_for = UpdateMe, request_body = UpdateMeBody,
    responses(
    (status = 200, description = "The updated user.", body = User)
))]
pub async fn update_me(call: Call<op::UpdateMe>, body: Valid<UpdateMeBody>) -> HandlerResult<User> {
    let UpdateMeBody { name, image_url } = body.into_inner();
    let me = call.caller().effective().id;
    let mut work = call.begin();
    let user = work.users().find_for_update(me).await?.ok_or_else(Problem::not_found)?;
    let name = name.as_deref().map(text::normalized);
    let user = work.save(user.update_profile(name, image_url)).await?;
    work.commit(ok(user)).await
}
