//! Plans and their limits.

use serde::{Deserialize, Serialize};

use crate::{string_enum, string_enums::string_enum_schema};

string_enum! {
    /// Plan that an org subscribes to, smallest first.
    Plan { Starter = "starter", Growth = "growth", Enterprise = "enterprise" }
}

string_enum_schema!(Plan);

/// Quotas of an org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Maximum number of members.
    #[cfg_attr(feature = "openapi", schema(example = 500, minimum = 0))]
    pub max_users: i64,
    /// Maximum number of projects.
    #[cfg_attr(feature = "openapi", schema(example = 1000, minimum = 0))]
    pub max_projects: i64,
}

impl Plan {
    /// Default limits of an org on this plan.
    #[must_use]
    pub const fn limits(self) -> Limits {
        match self {
            Self::Starter => Limits { max_users: 10, max_projects: 3 },
            Self::Growth => Limits { max_users: 100, max_projects: 50 },
            Self::Enterprise => Limits { max_users: 5_000, max_projects: 1_000 },
        }
    }
}
