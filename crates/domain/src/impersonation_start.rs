//! Start of an impersonation.

use chrono::{DateTime, Duration, Utc};

use crate::{
    action::Action,
    actor::Caller,
    change::{Change, New},
    event_draft::EventDraft,
    id::ImpersonationId,
    impersonation::Impersonation,
    justification::{Reason, TicketRef},
    member::Member,
    mode::Mode,
    org::Org,
    tier::Tier,
    user::User,
};

/// The user to impersonate, with their membership in the org.
#[derive(Debug)]
pub struct ImpersonationTarget {
    pub user: User,
    pub tier: Option<Tier>,
    pub member: Member,
    pub org: Org,
}

/// The part of a requested target that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingTarget {
    User,
    Org,
    /// Deletion of the org with this slug was requested.
    DeletedOrg {
        slug: String,
    },
    /// The user with this e-mail address is not a member of the org with this slug.
    Membership {
        email: String,
        slug: String,
    },
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

/// Reason for which a user cannot be impersonated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    #[error("you cannot impersonate yourself")]
    OwnUser,
    #[error("staff cannot be impersonated")]
    StaffTarget,
    #[error("suspended users cannot be impersonated")]
    SuspendedTarget,
}

/// Starts an impersonation.
pub fn start(
    id: ImpersonationId,
    by: &Caller,
    target: ImpersonationTarget,
    request: &StartRequest,
    now: DateTime<Utc>,
) -> Result<Change<New<Impersonation>>, StartError> {
    let ImpersonationTarget { user, tier, member, org } = target;
    if user.id == by.accountable().id {
        return Err(StartError::OwnUser);
    }
    if tier.is_some() {
        return Err(StartError::StaffTarget);
    }
    if user.suspended_at.is_some() {
        return Err(StartError::SuspendedTarget);
    }
    let impersonation = Impersonation {
        id,
        org: org.reference(),
        staff: by.accountable().clone(),
        staff_session_id: by.session(),
        user: user.into_person(),
        mode: request.mode,
        reason: request.reason.to_string(),
        ticket_ref: request.ticket.to_string(),
        started_at: now,
        expires_at: now + request.duration.min(Impersonation::LONGEST),
        ended_at: None,
        end_cause: None,
    };
    let predicate = format!(
        "started impersonating {} ({}) in {} with {} access",
        impersonation.user.name,
        member.role,
        org.slug,
        request.mode.in_words()
    );
    let draft = EventDraft::new(Action::ImpersonationStarted, impersonation.target(), predicate)
        .with_reason(&request.reason, Some(&request.ticket))
        .with_metadata("mode", request.mode)
        .with_metadata("target_user_id", impersonation.user.id)
        .with_metadata("expires_at", impersonation.expires_at)
        .of_impersonation(impersonation.reference())
        .in_org_log(impersonation.org.clone());
    Ok(Change::recorded(New(impersonation), draft))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::Person, end_cause::EndCause, id::Id, impersonation::ImpersonationStatus, plan::Plan,
        role::Role,
    };
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

    fn try_start(
        user: User,
        tier: Option<Tier>,
        duration: Duration,
    ) -> Result<Impersonation, StartError> {
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
        let change = start(
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
        assert_eq!(try_start(user(1, None), None, half_hour), Err(StartError::OwnUser));
        assert_eq!(
            try_start(user(2, None), Some(Tier::Support), half_hour),
            Err(StartError::StaffTarget)
        );
        assert_eq!(
            try_start(user(2, Some(DateTime::UNIX_EPOCH)), None, half_hour),
            Err(StartError::SuspendedTarget)
        );
    }

    #[test]
    fn impersonation_ends_after_at_most_half_an_hour() {
        let started = try_start(user(2, None), None, Duration::hours(8)).expect("allowed");
        assert_eq!(started.expires_at - started.started_at, Impersonation::LONGEST);
        let last_instant = started.expires_at - Duration::microseconds(1);
        assert_eq!(
            started.status(last_instant),
            ImpersonationStatus::Active,
            "an impersonation is active until it expires"
        );
        assert_eq!(
            started.status(started.expires_at),
            ImpersonationStatus::Expired,
            "an impersonation has expired at its expiry"
        );
    }

    #[test]
    fn impersonation_ends_once() {
        let started = try_start(user(2, None), None, Duration::hours(8)).expect("allowed");
        let expired = started.clone().end(EndCause::Ended, started.expires_at);
        assert!(expired.is_err(), "an expired impersonation cannot be ended");
        let change = started.end(EndCause::SessionEnded, DateTime::UNIX_EPOCH).expect("active");
        let ended = change.into_parts().0;
        assert_eq!(ended.status(DateTime::UNIX_EPOCH), ImpersonationStatus::Ended);
        assert_eq!(ended.end_cause, Some(EndCause::SessionEnded), "the cause is kept");
        assert!(
            ended.end(EndCause::Ended, DateTime::UNIX_EPOCH).is_err(),
            "an ended impersonation cannot be ended again"
        );
    }
}
