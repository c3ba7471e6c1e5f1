//! Reference to an org.

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
    /// Display name.
    #[cfg_attr(feature = "openapi", schema(example = "Acme Corporation", max_length = 100))]
    pub name: String,
}
