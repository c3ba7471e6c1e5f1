use postern_domain::settings::Settings;

use crate::{
    http::{Call, ETag, HandlerResult, ok},
    operations::op::{self, ReadSettings},
};

/// Get the settings of an org.
///
/// Send the `ETag` of the response as `If-Match` when you update the settings, so that no
/// concurrent update is overwritten. `limits` is read-only.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/settings", tag = "settings", impl_for = ReadSettings, responses(
    (status = 200, description = "The settings.", body = Settings,
        headers(("ETag" = inline(ETag), description = "Version of the settings.")))
))]
pub async fn read_settings(call: Call<op::ReadSettings>) -> HandlerResult<Settings> {
    let settings = call.settings().read().await?;
    let version = settings.version;
    Ok(ok(settings).etag(version))
}
