//! Closed catalogue of audit actions.

use crate::{
    id::{Named, kind},
    metadata::{
        Field,
        Kind::{Changed, Count, Filter, Id, Moment, Text},
    },
    string_enum,
    string_enums::string_enum_schema,
};

macro_rules! actions {
    ($(
        $(#[doc = $about:literal])+
        $name:ident = $text:literal { $($field:literal $($optional:ident)?: $kind:expr),* $(,)? }
    )+) => {
        string_enum! {
            /// Audit action: the type of an event, as `noun.past_tense_verb`.
            Action { $($(#[doc = $about])+ $name = $text),+ }
        }

        impl Action {
            /// Metadata fields of its events.
            #[must_use]
            pub const fn metadata(self) -> &'static [Field] {
                match self {
                    $(Self::$name => &[$(Field {
                        name: $field,
                        kind: $kind,
                        always: actions!(@always $($optional)?),
                    }),*]),+
                }
            }
        }
    };
    (@always) => { true };
    (@always maybe) => { false };
}

actions! {
    /// A user signed in.
    AuthLoginSucceeded = "auth.login_succeeded" {}
    /// A sign-in failed, or a password change failed because of a wrong current password.
    AuthLoginFailed = "auth.login_failed" {}
    /// A user signed out.
    AuthLoggedOut = "auth.logged_out" {}
    /// A refresh token was used a second time; the session was ended.
    AuthRefreshReused = "auth.refresh_reused" {}
    /// A user ended another of their sessions.
    AuthSessionRevoked = "auth.session_revoked" {}
    /// A user was created from the command line.
    UserCreated = "user.created" {}
    /// A user changed their name or picture.
    UserProfileUpdated = "user.profile_updated" {
        "name" maybe: Changed(&Text), "image_url" maybe: Changed(&Text),
    }
    /// A user changed their password.
    UserPasswordChanged = "user.password_changed" {}
    /// A member's role was changed.
    UserRoleChanged = "user.role_changed" { "role": Changed(&Text) }
    /// A member was removed from an org.
    UserRemoved = "user.removed" { "role": Text, "user_id": Id(kind::User::PREFIX) }
    /// An org was created.
    OrgCreated = "org.created" { "name": Text }
    /// An org was renamed.
    OrgUpdated = "org.updated" { "name": Changed(&Text) }
    /// An owner requested deletion of their org.
    OrgDeletionRequested = "org.deletion_requested" {}
    /// An org's settings were changed.
    SettingsUpdated = "settings.updated" {
        "branding.color" maybe: Changed(&Text),
        "branding.logo_url" maybe: Changed(&Text),
        "support_email" maybe: Changed(&Text),
    }
    /// A staff tier was granted, changed or removed.
    StaffTierChanged = "staff.tier_changed" { "tier": Changed(&Text) }
    /// Staff searched all accounts.
    SearchPerformed = "search.performed" { "query": Text, "hits": Count }
    /// A staff member started impersonating a member.
    ImpersonationStarted = "impersonation.started" {
        "mode": Text, "target_user_id": Id(kind::User::PREFIX), "expires_at": Moment,
    }
    /// An impersonation was ended before it expired, by a staff member or by a change that made it
    /// invalid.
    ImpersonationEnded = "impersonation.ended" {
        "cause": Text, "staff_user_id": Id(kind::User::PREFIX),
        "target_user_id": Id(kind::User::PREFIX),
    }
    /// A request was made under impersonation. Recorded before it runs.
    ImpersonationRequest = "impersonation.request" { "method": Text, "path": Text }
    /// An authenticated caller was denied an operation.
    PermissionDenied = "permission.denied" { "method": Text, "path": Text, "problem": Text }
    /// An unauthenticated entry in the audit queue was rejected: it was not added to the log.
    AuditEntryRejected = "audit.entry_rejected" {}
    /// An audit log was exported, in full or in part.
    AuditExported = "audit.exported" { "format": Text, "filter": Filter, "entries": Count }
    /// Staff listed or streamed events, with access to all audit logs.
    AuditViewed = "audit.viewed" { "filter" maybe: Filter }
    /// The retention of an audit log was changed, or a legal hold was placed or released.
    AuditRetentionChanged = "audit.retention_changed" {
        "days" maybe: Changed(&Count), "held_since" maybe: Changed(&Moment),
    }
    /// The contents of expired events were removed. Log entries with an index below `first_kept`,
    /// in the metadata, may have no event.
    AuditRetentionApplied = "audit.retention_applied" {
        "before": Moment, "events": Count, "first_kept": Count,
    }
    /// The personal data of one user was removed from all events.
    PrivacyErased = "privacy.erased" { "events": Count }
}

string_enum_schema!(Action);

#[cfg(test)]
mod tests {
    use postern_audit_log::event::{PRIVACY_ERASED, RETENTION_APPLIED};

    use super::Action;

    #[test]
    fn removal_actions_match_the_verifier() {
        assert_eq!(
            Action::AuditRetentionApplied.name(),
            RETENTION_APPLIED,
            "the verifier recognizes the event of a retention"
        );
        assert_eq!(
            Action::PrivacyErased.name(),
            PRIVACY_ERASED,
            "the verifier recognizes the event of an erasure"
        );
    }
}
