//! Position of an event in a transparency log.

use serde::{Deserialize, Serialize};

/// Position of an event in a transparency log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPosition {
    /// Origin of the log, as in the first line of its checkpoints.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "postern.example/org_01k7fgpr00e00800000000000g", max_length = 500)
    )]
    pub origin: String,
    /// Index in the log, from 0.
    #[cfg_attr(feature = "openapi", schema(example = 4123, minimum = 0))]
    pub index: u64,
}
