//! Access mode of an impersonation.

use crate::{string_enum, string_enums::string_enum_schema};

string_enum! {
    /// Access during the impersonation.
    Mode {
        /// Read access only.
        ReadOnly = "read_only",
        /// Also write access, except for operations that are blocked under impersonation.
        Full = "full",
    }
}

string_enum_schema!(Mode);

#[expect(clippy::derivable_impls, reason = "the macro cannot mark a default variant")]
impl Default for Mode {
    fn default() -> Self {
        Self::ReadOnly
    }
}

impl Mode {
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Full => "full",
        }
    }
}
