//! The closed catalogue of what the record can say was done.

use std::{fmt, str::FromStr};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What was done, as `noun.verb_in_the_past`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$doc])* $name),+ }

        impl Action {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

actions! {
    AuthLoginSucceeded = "auth.login_succeeded",
    AuthLoginFailed = "auth.login_failed",
    AuthLoggedOut = "auth.logged_out",
    AuthRefreshReused = "auth.refresh_reused",
    AuthSessionRevoked = "auth.session_revoked",
    UserCreated = "user.created",
    UserProfileUpdated = "user.profile_updated",
    UserPasswordChanged = "user.password_changed",
    UserRoleChanged = "user.role_changed",
    UserRemoved = "user.removed",
    OrgCreated = "org.created",
    OrgUpdated = "org.updated",
    OrgDeletionRequested = "org.deletion_requested",
    SettingsUpdated = "settings.updated",
    StaffTierChanged = "staff.tier_changed",
    SearchPerformed = "search.performed",
    ImpersonationStarted = "impersonation.started",
    ImpersonationEnded = "impersonation.ended",
    /// A request under another's name, recorded before it runs.
    ImpersonationRequest = "impersonation.request",
    /// Somebody known asked for something that they may not do.
    PermissionDenied = "permission.denied",
    /// Somebody wrote into the queue of the log who is no server of ours.
    AuditEntryRefused = "audit.entry_refused",
    /// An org's log left the system.
    AuditExported = "audit.exported",
    /// Staff read the log of others than themselves.
    AuditViewed = "audit.viewed",
    /// How long events are kept was changed, or a legal hold.
    AuditRetentionChanged = "audit.retention_changed",
    /// The time of some events was over, and their payload was removed.
    AuditRetentionApplied = "audit.retention_applied",
    /// Somebody's personal fields were removed from all events.
    PrivacyErased = "privacy.erased",
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The text names no action of the catalogue.
#[derive(Debug, thiserror::Error)]
#[error("no such action")]
pub struct NoSuchAction;

impl FromStr for Action {
    type Err = NoSuchAction;

    fn from_str(text: &str) -> Result<Self, NoSuchAction> {
        Self::ALL.iter().copied().find(|action| action.name() == text).ok_or(NoSuchAction)
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use super::Action;
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{ObjectBuilder, RefOr, Schema, Type},
    };

    impl PartialSchema for Action {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some("What was done, from a closed catalogue."))
                .enum_values(Some(Self::ALL.iter().map(|action| action.name())))
                .into()
        }
    }

    impl ToSchema for Action {}
}
