//! The closed catalogue of what the record can say was done.

use std::{fmt, str::FromStr};

use crate::metadata::{
    Field,
    Kind::{Changed, Count, Filter, Id, Moment, Text},
};

macro_rules! actions {
    ($(
        $(#[doc = $about:literal])+
        $name:ident = $text:literal { $($field:literal $($optional:ident)?: $kind:expr),* $(,)? }
    )+) => {
        /// What was done, as `noun.verb_in_the_past`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[doc = $about])+ $name),+ }

        impl Action {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// When it is recorded, in a sentence.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($about),+)),+ }
            }

            /// What else its events say.
            #[must_use]
            pub const fn metadata(self) -> &'static [Field] {
                match self {
                    $(Self::$name => &[$(Field { name: $field, kind: $kind, always: actions!(@always $($optional)?) }),*]),+
                }
            }
        }
    };
    (@always) => { true };
    (@always maybe) => { false };
}

actions! {
    /// Somebody signed in.
    AuthLoginSucceeded = "auth.login_succeeded" {}
    /// Somebody tried to sign in, or gave a wrong current password.
    AuthLoginFailed = "auth.login_failed" {}
    /// Somebody signed out.
    AuthLoggedOut = "auth.logged_out" {}
    /// A refresh token was used a second time: the session was ended.
    AuthRefreshReused = "auth.refresh_reused" {}
    /// Somebody ended another session of theirs.
    AuthSessionRevoked = "auth.session_revoked" {}
    /// An account was made at the command line.
    UserCreated = "user.created" {}
    /// Somebody changed their name or picture.
    UserProfileUpdated = "user.profile_updated" { "name" maybe: Changed(&Text), "image_url" maybe: Changed(&Text) }
    /// Somebody changed their password.
    UserPasswordChanged = "user.password_changed" {}
    /// A member got another role.
    UserRoleChanged = "user.role_changed" { "role": Changed(&Text) }
    /// A member was removed from an org.
    UserRemoved = "user.removed" { "role": Text, "user_id": Id("user") }
    /// An org was founded.
    OrgCreated = "org.created" { "name": Text }
    /// An org got another name.
    OrgUpdated = "org.updated" { "name": Changed(&Text) }
    /// An owner asked for their org to be deleted.
    OrgDeletionRequested = "org.deletion_requested" {}
    /// An org's settings were changed.
    SettingsUpdated = "settings.updated" {
        "branding.color" maybe: Changed(&Text), "branding.logo_url" maybe: Changed(&Text), "support_email" maybe: Changed(&Text),
    }
    /// Somebody became staff, changed tier, or is staff no more.
    StaffTierChanged = "staff.tier_changed" { "tier": Changed(&Text) }
    /// Staff searched all accounts.
    SearchPerformed = "search.performed" { "query": Text, "hits": Count }
    /// Staff began to act in a member's name.
    ImpersonationStarted = "impersonation.started" { "mode": Text, "target_user_id": Id("user"), "expires_at": Moment }
    /// Staff ceased to act in a member's name, or were made to.
    ImpersonationEnded = "impersonation.ended" { "staff_user_id": Id("user"), "target_user_id": Id("user") }
    /// A request in another's name, recorded before it runs.
    ImpersonationRequest = "impersonation.request" { "method": Text, "path": Text }
    /// Somebody known asked for something that they may not do.
    PermissionDenied = "permission.denied" { "method": Text, "path": Text, "problem": Text }
    /// Somebody wrote into the queue of the log who is no server of ours: it got no place there.
    AuditEntryRejected = "audit.entry_rejected" {}
    /// A log, or a part of it, was taken along as a file.
    AuditExported = "audit.exported" { "format": Text, "filter": Filter, "entries": Count }
    /// Staff read what others did.
    AuditViewed = "audit.viewed" { "filter" maybe: Filter }
    /// How long events are kept was changed, or a legal hold was put on them or lifted.
    AuditRetentionChanged = "audit.retention_changed" { "days" maybe: Changed(&Count), "held_since" maybe: Changed(&Moment) }
    /// What some events said was removed since their time was over. All entries below `first_kept` may be without their event from then on.
    AuditRetentionApplied = "audit.retention_applied" { "before": Moment, "events": Count, "first_kept": Count }
    /// What is about one person was removed from all events.
    PrivacyErased = "privacy.erased" { "events": Count }
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
    use crate::words::schema;
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{RefOr, Schema},
    };

    impl PartialSchema for Action {
        fn schema() -> RefOr<Schema> {
            let words: Vec<(&str, &str)> =
                Self::ALL.iter().map(|action| (action.name(), action.about())).collect();
            schema("What was done.", &words)
        }
    }

    impl ToSchema for Action {}
}
