//! Impersonations as returned: with status and banner, which depend on the time.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    actor::{ActiveImpersonation, Caller, Person},
    end_cause::EndCause,
    id::ImpersonationId,
    impersonation::{Impersonation, ImpersonationStatus},
    mode::Mode,
    org_ref::OrgRef,
};

/// An impersonation: a staff member acts as a user in one org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Impersonation))]
pub struct ImpersonationView {
    pub id: ImpersonationId,
    pub org: OrgRef,
    /// Staff member who acts.
    pub staff: Person,
    /// Impersonated user.
    pub user: Person,
    pub mode: Mode,
    /// Reason, visible to the customer.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "cannot open the reports page", max_length = 500)
    )]
    pub reason: String,
    /// Support ticket.
    #[cfg_attr(feature = "openapi", schema(example = "SUP-4312", max_length = 64))]
    pub ticket_ref: String,
    pub status: ImpersonationStatus,
    /// Time of the start.
    pub started_at: DateTime<Utc>,
    /// Time of expiry. It cannot be extended.
    pub expires_at: DateTime<Utc>,
    /// Time at which it was ended; null if active or expired.
    pub ended_at: Option<DateTime<Utc>>,
    /// Cause of the end; null if active or expired.
    pub end_cause: Option<EndCause>,
    /// Text to show on every page while the impersonation is active; otherwise null.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 500,
            example = "Sam Okoro of support is acting as Ana Costa in acme until 10:01 UTC \
                with read-only access. Everything is recorded under both names."
        )
    )]
    pub banner: Option<String>,
}

impl Impersonation {
    /// The impersonation at this time.
    #[must_use]
    pub fn view(self, now: DateTime<Utc>) -> ImpersonationView {
        let status = self.status(now);
        let Self {
            id,
            org,
            staff,
            staff_session_id: _,
            user,
            mode,
            reason,
            ticket_ref,
            started_at,
            expires_at,
            ended_at,
            end_cause,
        } = self;
        let view = ImpersonationView {
            id,
            org,
            staff,
            user,
            mode,
            reason,
            ticket_ref,
            status,
            started_at,
            expires_at,
            ended_at,
            end_cause,
            banner: None,
        };
        view.with_banner()
    }
}

impl ImpersonationView {
    /// The caller's impersonation, if there is one.
    #[must_use]
    pub fn of_caller(caller: &Caller) -> Option<Self> {
        let staff = caller.accountable().clone();
        caller.impersonation().cloned().map(|impersonation| {
            let ActiveImpersonation {
                id,
                target: user,
                org,
                mode,
                reason,
                ticket_ref,
                started_at,
                expires_at,
            } = impersonation;
            let view = Self {
                id,
                org,
                staff,
                user,
                mode,
                reason,
                ticket_ref,
                status: ImpersonationStatus::Active,
                started_at,
                expires_at,
                ended_at: None,
                end_cause: None,
                banner: None,
            };
            view.with_banner()
        })
    }

    fn with_banner(self) -> Self {
        let banner = (self.status == ImpersonationStatus::Active).then(|| {
            format!(
                "{} of support is acting as {} in {} until {} with {} access. \
                 Everything is recorded under both names.",
                self.staff.name,
                self.user.name,
                self.org.slug,
                self.expires_at.format("%H:%M UTC"),
                self.mode.in_words()
            )
        });
        Self { banner, ..self }
    }
}
