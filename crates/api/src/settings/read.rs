use postern_domain::settings::Settings;

use crate::{
    http::{Answer, Call, ok},
    operations::op::{self, ReadSettings},
};

/// Read the settings.
///
/// The `ETag` of the answer goes into `If-Match` of an edit, so that nobody's edit is lost. Limits are read-only here.
#[utoipa::path(get, path = "/v1/orgs/{org}/settings", tag = "settings", impl_for = ReadSettings, responses(
    (status = 200, description = "The settings.", body = Settings, headers(("ETag" = String, description = "The version that was read.")))
))]
pub async fn read_settings(call: Call<op::ReadSettings>) -> Answer<Settings> {
    let settings = call.settings().read().await?;
    let version = settings.version;
    Ok(ok(settings).etag(version))
}
