//! Causes of the end of an impersonation.

use crate::{string_enum, string_enums::string_enum_schema};

string_enum! {
    /// Cause of the end of an impersonation.
    EndCause {
        /// A staff member ended it.
        Ended = "ended",
        /// The session in which it was started ended.
        SessionEnded = "session_ended",
        /// The staff member changed their password, which ended their other sessions.
        CredentialsChanged = "credentials_changed",
        /// The staff member lost their tier, or the impersonated user was granted one.
        TierChanged = "tier_changed",
        /// The impersonated user was removed from the org.
        MembershipChanged = "membership_changed",
        /// The staff member or the impersonated user was suspended.
        Suspended = "suspended",
        /// Deletion of the org was requested.
        OrgDeleted = "org_deleted",
    }
}

string_enum_schema!(EndCause);

impl EndCause {
    /// The cause as the end of a sentence: "… because the session of the staff member ended".
    #[must_use]
    pub const fn because(self) -> &'static str {
        match self {
            Self::Ended => "",
            Self::SessionEnded => " because the staff member's session ended",
            Self::CredentialsChanged => " because the staff member's password changed",
            Self::TierChanged => " because a staff tier changed",
            Self::MembershipChanged => " because the membership ended",
            Self::Suspended => " because an account was suspended",
            Self::OrgDeleted => " because deletion of the org was requested",
        }
    }
}
