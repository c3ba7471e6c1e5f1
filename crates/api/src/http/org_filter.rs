//! The filter by org.

use postern_domain::org_key::OrgKey;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

/// Filter by org, for operations that read data of all orgs.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrgFilter {
    /// Org, by ID or slug.
    #[param(example = "acme")]
    pub org: Option<OrgKey>,
}
