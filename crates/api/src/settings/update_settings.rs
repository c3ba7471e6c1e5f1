use postern_domain::{
    settings::{Edit, Settings, Stale},
    text,
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, Code, ETag, HandlerResult, IfMatch, Problem, Valid, ok, rules},
    operations::op::{self, UpdateSettings},
};

/// Changes to the settings. Omitted fields keep their value; null removes the value.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSettingsBody {
    #[serde(default, deserialize_with = "rules::object")]
    #[validate(nested)]
    #[schema(nullable = false)]
    branding: Option<BrandingBody>,
    /// E-mail address that members contact for support within the org. Stored in lower case,
    /// without surrounding spaces.
    #[serde(default, deserialize_with = "rules::maybe")]
    #[validate(custom(function = "rules::email"))]
    #[schema(
        value_type = Option<String>, format = "email", max_length = 254,
        example = "it@acme.example"
    )]
    support_email: Option<Option<String>>,
}

/// Changes to the branding. Omitted fields keep their value; null removes the value.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BrandingBody {
    /// Color of buttons and links, as `#rrggbb`.
    #[serde(default, deserialize_with = "rules::maybe")]
    #[validate(custom(function = "rules::color"))]
    #[schema(
        value_type = Option<String>, pattern = "^#[0-9a-fA-F]{6}$", max_length = 7,
        example = "#0a7d5c"
    )]
    color: Option<Option<String>>,
    /// URL of the logo: `https`, with a public host name and no port.
    #[serde(default, deserialize_with = "rules::maybe")]
    #[validate(custom(function = "rules::picture_url"))]
    #[schema(
        value_type = Option<String>, max_length = 500,
        pattern = "^https://[^/?#:@]+\\.[^/?#:@.]+(/[!-~]*)?$",
        example = "https://cdn.acme.example/logo.svg"
    )]
    logo_url: Option<Option<String>>,
}

/// Update the settings of an org.
///
/// With `If-Match`, the update fails with 412 if the settings have changed since you read them.
/// Without it, the update always applies.
#[utoipa::path(
    patch, path = "/v1/orgs/{org}/settings", tag = "settings", impl_for = UpdateSettings,
    request_body = UpdateSettingsBody, responses(
    (status = 200, description = "The updated settings.", body = Settings,
        headers(("ETag" = inline(ETag), description = "Version of the settings."))),
    (status = 412, description = "`stale`: the settings have changed since you read them.")
))]
pub async fn update_settings(
    call: Call<op::UpdateSettings>,
    if_match: IfMatch,
    body: Valid<UpdateSettingsBody>,
) -> HandlerResult<Settings> {
    let UpdateSettingsBody { branding, support_email } = body.into_inner();
    let (color, logo_url) =
        branding.map_or((None, None), |branding| (branding.color, branding.logo_url));
    let support_email = support_email.map(|address| address.as_deref().map(text::email));
    let edit = Edit { color, logo_url, support_email };
    let mut work = call.begin();
    let settings = work.settings().find_for_update().await?;
    let change = settings.edit(&work.grant().context().org, edit, if_match.0.as_deref())?;
    let settings = work.save(change).await?;
    let version = settings.version;
    work.commit(ok(settings).etag(version)).await
}

impl From<Stale> for Problem {
    fn from(stale: Stale) -> Self {
        Self::new(Code::Stale).detail(stale.to_string())
    }
}
