//! Reference to an org, as in audit events.

use serde::Serialize;

use crate::id::OrgId;

/// Reference to an org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrgRef {
    pub id: OrgId,
    /// Short name for URLs.
    #[cfg_attr(feature = "openapi", schema(example = "acme", max_length = 40))]
    pub slug: String,
}
