//! Impersonation: a staff member acts as a user in one org, for a limited time and a stated reason.
//! Audit events name both.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

use crate::{
    action::Action,
    actor::{ActiveImpersonation, Caller},
    change::{Change, New},
    event_draft::{EventDraft, Target, TargetType},
    id::{ImpersonationId, SessionId, UserId},
    justification::{Reason, TicketRef},
    member::Member,
    mode::Mode,
    org::Org,
    org_ref::OrgRef,
    tier::Tier,
    user::User,
};

/// An impersonation, active or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Impersonation {
    pub id: ImpersonationId,
    pub org: OrgRef,
    /// ID of the staff member.
    pub staff_user_id: UserId,
    /// E-mail of the staff member.
    #[cfg_attr(feature = "openapi", schema(example = "support@postern.example", max_length = 254))]
    pub staff_email: String,
    /// Session of the staff member. The impersonation ends with it.
    #[serde(skip)]
    pub staff_session_id: SessionId,
    /// ID of the impersonated user.
    pub target_user_id: UserId,
    /// E-mail of the impersonated user.
    #[cfg_attr(feature = "openapi", schema(example = "owner@acme.example", max_length = 254))]
    pub target_email: String,
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
    /// Time of the start.
    pub started_at: DateTime<Utc>,
    /// Time of expiry. It cannot be extended.
    pub expires_at: DateTime<Utc>,
    /// Time at which it was ended early; null if active or expired.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The user to impersonate, with their membership in the org.
#[derive(Debug)]
pub struct ImpersonationTarget {
    pub user: User,
    pub tier: Option<Tier>,
    pub member: Member,
    pub org: Org,
}

/// Request to start an impersonation.
#[derive(Debug)]
pub struct StartRequest {
    pub mode: Mode,
    pub reason: Reason,
    pub ticket: TicketRef,
    /// Configured duration, limited to [`Impersonation::LONGEST`].
    pub duration: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImpersonationError {
    #[error("you cannot impersonate yourself")]
    OwnUser,
    #[error("staff cannot be impersonated")]
    StaffTarget,
    #[error("suspended users cannot be impersonated")]
    SuspendedTarget,
    #[error("the impersonation has already ended")]
    AlreadyEnded,
}

impl Impersonation {
    /// Maximum duration, regardless of the configuration.
    pub const LONGEST: Duration = Duration::minutes(30);

    pub fn start(
        id: ImpersonationId,
        by: &Caller,
        target: ImpersonationTarget,
        request: &StartRequest,
        now: DateTime<Utc>,
    ) -> Result<Change<New<Self>>, ImpersonationError> {
        let ImpersonationTarget { user, tier, member, org } = target;
        if user.id == by.accountable().id {
            return Err(ImpersonationError::OwnUser);
        }
        if tier.is_some() {
            return Err(ImpersonationError::StaffTarget);
        }
        if user.suspended_at.is_some() {
            return Err(ImpersonationError::SuspendedTarget);
        }
        let impersonation = Self {
            id,
            org: org.reference(),
            staff_user_id: by.accountable().id,
            staff_email: by.accountable().email.clone(),
            staff_session_id: by.session(),
            target_user_id: user.id,
            target_email: user.email.clone(),
            mode: request.mode,
            reason: request.reason.to_string(),
            ticket_ref: request.ticket.to_string(),
            started_at: now,
            expires_at: now + request.duration.min(Self::LONGEST),
            ended_at: None,
        };
        let predicate = format!(
            "started impersonating {} ({}) in {} with {} access",
            user.name,
            member.role,
            org.slug,
            in_words(request.mode)
        );
        let draft =
            EventDraft::new(Action::ImpersonationStarted, impersonation.target(), predicate)
                .with_reason(&request.reason, Some(&request.ticket))
                .with_metadata("mode", request.mode)
                .with_metadata("target_user_id", user.id)
                .with_metadata("expires_at", impersonation.expires_at)
                .in_org_log(impersonation.org.clone());
        Ok(Change::recorded(New(impersonation), draft))
    }

    /// Ends the impersonation. Its token is rejected from the next request on.
    pub fn end(self, now: DateTime<Utc>) -> Result<Change<Self>, ImpersonationError> {
        if !self.is_live(now) {
            return Err(ImpersonationError::AlreadyEnded);
        }
        let predicate =
            format!("ended the impersonation of {} in {}", self.target_email, self.org.slug);
        let draft = EventDraft::new(Action::ImpersonationEnded, self.target(), predicate)
            .with_metadata("staff_user_id", self.staff_user_id)
            .with_metadata("target_user_id", self.target_user_id)
            .in_org_log(self.org.clone());
        Ok(Change::recorded(Self { ended_at: Some(now), ..self }, draft))
    }

    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    fn target(&self) -> Target {
        Target::new(TargetType::Impersonation, self.id, &self.target_email)
    }
}

/// Text of the banner that a front end shows during an impersonation.
#[must_use]
pub fn banner(caller: &Caller, impersonation: &ActiveImpersonation) -> String {
    banner_text(
        &caller.accountable().name,
        &impersonation.target.name,
        &impersonation.org,
        impersonation.mode,
        impersonation.expires_at,
    )
}

/// Text of the banner from its parts, for an impersonation that was just started.
#[must_use]
pub fn banner_text(
    staff: &str,
    target: &str,
    org: &OrgRef,
    mode: Mode,
    expires_at: DateTime<Utc>,
) -> String {
    let until = expires_at.format("%H:%M UTC");
    format!(
        "{staff} of support is acting as {target} in {} until {until} with {} access. \
         Everything is recorded under both names.",
        org.slug,
        in_words(mode)
    )
}

const fn in_words(mode: Mode) -> &'static str {
    match mode {
        Mode::ReadOnly => "read-only",
        Mode::Full => "full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::{actor::Person, plan::Plan, role::Role};
    use uuid::Uuid;

    fn user(id: u128, suspended_at: Option<DateTime<Utc>>) -> User {
        let email = format!("{id}@acme.example");
        User {
            id: Id::new(Uuid::from_u128(id)),
            email,
            name: "Ana".into(),
            image_url: None,
            created_at: DateTime::UNIX_EPOCH,
            suspended_at,
        }
    }

    fn start(
        user: User,
        tier: Option<Tier>,
        duration: Duration,
    ) -> Result<Impersonation, ImpersonationError> {
        let now = DateTime::UNIX_EPOCH;
        let by = Caller {
            person: Person {
                id: Id::new(Uuid::from_u128(1)),
                name: "Sam".into(),
                email: "sam@postern.example".into(),
            },
            tier: Some(Tier::Support),
            session: Id::new(Uuid::nil()),
            impersonation: None,
        };
        let org = Org {
            id: Id::new(Uuid::nil()),
            slug: "acme".into(),
            name: "Acme".into(),
            plan: Plan::Starter,
            trial_ends_at: None,
            limits: Plan::Starter.limits(),
            created_at: now,
            deletion_requested_at: None,
        };
        let member = Member {
            id: Id::new(Uuid::nil()),
            user_id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            role: Role::Owner,
            created_at: now,
        };
        let request = StartRequest {
            mode: Mode::ReadOnly,
            reason: Reason::try_from("cannot open the reports".to_owned()).expect("a reason"),
            ticket: TicketRef::try_from("SUP-1".to_owned()).expect("a ticket"),
            duration,
        };
        let change = Impersonation::start(
            Id::new(Uuid::nil()),
            &by,
            ImpersonationTarget { user, tier, member, org },
            &request,
            now,
        )?;
        Ok(change.into_parts().0.0)
    }

    #[test]
    fn own_user_staff_and_suspended_users_cannot_be_impersonated() {
        let half_hour = Impersonation::LONGEST;
        assert_eq!(start(user(1, None), None, half_hour), Err(ImpersonationError::OwnUser));
        assert_eq!(
            start(user(2, None), Some(Tier::Support), half_hour),
            Err(ImpersonationError::StaffTarget)
        );
        assert_eq!(
            start(user(2, Some(DateTime::UNIX_EPOCH)), None, half_hour),
            Err(ImpersonationError::SuspendedTarget)
        );
    }

    #[test]
    fn impersonation_ends_after_at_most_half_an_hour() {
        let started = start(user(2, None), None, Duration::hours(8)).expect("allowed");
        assert_eq!(started.expires_at - started.started_at, Impersonation::LONGEST);
        let last_instant = started.expires_at - Duration::microseconds(1);
        assert!(started.is_live(last_instant), "an impersonation is active until it expires");
        assert!(!started.is_live(started.expires_at), "an impersonation has ended at its expiry");
        assert!(started.end(DateTime::UNIX_EPOCH).is_ok(), "an active impersonation can be ended");
    }
}
