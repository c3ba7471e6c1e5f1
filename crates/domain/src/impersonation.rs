//! Impersonation: a staff member acts as a user in one org, for a limited time and a stated reason.
//! Audit events name both.

use chrono::{DateTime, Duration, Utc};

use crate::{
    action::Action,
    actor::{ImpersonationRef, Person},
    change::Change,
    end_cause::EndCause,
    event_draft::{EventDraft, Target, TargetType},
    id::{ImpersonationId, SessionId},
    mode::Mode,
    org_ref::OrgRef,
    string_enum,
    string_enums::string_enum_schema,
};

string_enum! {
    /// Status of an impersonation.
    ImpersonationStatus {
        /// The access token is valid.
        Active = "active",
        /// It was ended before it expired.
        Ended = "ended",
        /// It has reached `expires_at`.
        Expired = "expired",
    }
}

string_enum_schema!(ImpersonationStatus);

/// An impersonation, active or past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impersonation {
    pub id: ImpersonationId,
    pub org: OrgRef,
    /// The staff member who acts.
    pub staff: Person,
    /// Session of the staff member. The impersonation ends with it.
    pub staff_session_id: SessionId,
    /// The impersonated user.
    pub user: Person,
    pub mode: Mode,
    /// Reason, visible to the customer.
    pub reason: String,
    pub ticket_ref: String,
    pub started_at: DateTime<Utc>,
    /// Time of expiry. It cannot be extended.
    pub expires_at: DateTime<Utc>,
    /// Time of the end, unless it is active or expired.
    pub ended_at: Option<DateTime<Utc>>,
    pub end_cause: Option<EndCause>,
}

/// The impersonation has ended or expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the impersonation has already ended")]
pub struct AlreadyEnded;

impl Impersonation {
    /// Maximum duration, regardless of the configuration.
    pub const LONGEST: Duration = Duration::minutes(30);

    #[must_use]
    pub fn status(&self, now: DateTime<Utc>) -> ImpersonationStatus {
        if self.ended_at.is_some() {
            ImpersonationStatus::Ended
        } else if now < self.expires_at {
            ImpersonationStatus::Active
        } else {
            ImpersonationStatus::Expired
        }
    }

    /// Ends the impersonation. Its token is rejected from the next request on.
    pub fn end(self, cause: EndCause, now: DateTime<Utc>) -> Result<Change<Self>, AlreadyEnded> {
        if self.status(now) != ImpersonationStatus::Active {
            return Err(AlreadyEnded);
        }
        let (user, slug) = (&self.user.email, &self.org.slug);
        let predicate = format!("ended the impersonation of {user} in {slug}{}", cause.because());
        let draft = EventDraft::new(Action::ImpersonationEnded, self.target(), predicate)
            .with_metadata("cause", cause)
            .with_metadata("staff_user_id", self.staff.id)
            .with_metadata("target_user_id", self.user.id)
            .of_impersonation(self.reference())
            .in_org_log(self.org.clone());
        let ended = Self { ended_at: Some(now), end_cause: Some(cause), ..self };
        Ok(Change::recorded(ended, draft))
    }

    #[must_use]
    pub fn target(&self) -> Target {
        Target::new(TargetType::Impersonation, self.id, &self.user.email)
    }

    /// The impersonation as named in its events.
    #[must_use]
    pub fn reference(&self) -> ImpersonationRef {
        let Self { id, user, ticket_ref, .. } = self;
        ImpersonationRef { id: *id, user: user.clone(), ticket_ref: ticket_ref.clone() }
    }
}
