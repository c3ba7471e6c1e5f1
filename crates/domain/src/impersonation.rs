//! Acting in a customer's name: for a reason, for a while, in one org, and under both names.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

use crate::{
    Id,
    action::Action,
    actor::{ActiveImpersonation, Caller},
    change::{Change, New},
    event::{EventDraft, Target, TargetType},
    id::Named,
    id::{ImpersonationId, SessionId, UserId},
    justification::{Reason, TicketRef},
    member::Member,
    org::{Org, OrgRef},
    staff::Tier,
    user::User,
    words::words,
};

words! {
    /// Whether the one who impersonates may change anything.
    Mode {
        /// May look, and change nothing.
        ReadOnly = "read_only",
        /// May also do what is not blocked under impersonation.
        Full = "full",
    }
}

#[expect(clippy::derivable_impls, reason = "a list of words marks none of them")]
impl Default for Mode {
    fn default() -> Self {
        Self::ReadOnly
    }
}

/// One impersonation, present or past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Impersonation {
    pub id: ImpersonationId,
    pub org: OrgRef,
    /// Who really acts.
    pub staff_user_id: UserId,
    /// Who acted.
    #[cfg_attr(feature = "openapi", schema(example = "support@postern.example"))]
    pub staff_email: String,
    /// The sign-in it hangs on: when that ends, so does this.
    #[serde(skip)]
    pub staff_session_id: SessionId,
    /// Whose identity is worn.
    pub target_user_id: UserId,
    /// In whose name.
    #[cfg_attr(feature = "openapi", schema(example = "owner@acme.example"))]
    pub target_email: String,
    pub mode: Mode,
    /// Why, in words that the customer reads.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "cannot open the reports page", max_length = 500)
    )]
    pub reason: String,
    /// The ticket it belongs to.
    #[cfg_attr(feature = "openapi", schema(example = "SUP-4312"))]
    pub ticket_ref: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// The hard end; nothing extends it.
    pub expires_at: DateTime<Utc>,
    /// When it was ended; null while it runs, and where its time ran out.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Named for Impersonation {
    const PREFIX: &'static str = "imp";
    const SCHEMA: &'static str = "ImpersonationId";
}

/// Whom somebody wants to impersonate, and where.
#[derive(Debug)]
pub struct ImpersonationTarget {
    pub user: User,
    pub tier: Option<Tier>,
    pub member: Member,
    pub org: Org,
}

/// What somebody asks for who wants to impersonate.
#[derive(Debug)]
pub struct StartRequest {
    pub mode: Mode,
    pub reason: Reason,
    pub ticket: TicketRef,
    /// How long; the configuration bounds it by [`Impersonation::LONGEST`].
    pub lasts: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImpersonationError {
    #[error("nobody impersonates themselves")]
    Oneself,
    #[error("staff are never impersonated")]
    OfStaff,
    #[error("a suspended user is not impersonated")]
    OfSuspended,
    #[error("it has ended already")]
    EndedAlready,
}

impl Impersonation {
    /// No configuration makes one last longer.
    pub const LONGEST: Duration = Duration::minutes(30);

    pub fn start(
        id: Id<Self>,
        by: &Caller,
        subject: ImpersonationTarget,
        wanted: &StartRequest,
        now: DateTime<Utc>,
    ) -> Result<Change<New<Self>>, ImpersonationError> {
        let ImpersonationTarget { user, tier, member, org } = subject;
        if user.id == by.accountable().id {
            return Err(ImpersonationError::Oneself);
        }
        if tier.is_some() {
            return Err(ImpersonationError::OfStaff);
        }
        if user.suspended_at.is_some() {
            return Err(ImpersonationError::OfSuspended);
        }
        let impersonation = Self {
            id,
            org: org.reference(),
            staff_user_id: by.accountable().id,
            staff_email: by.accountable().email.clone(),
            staff_session_id: by.session(),
            target_user_id: user.id,
            target_email: user.email.clone(),
            mode: wanted.mode,
            reason: wanted.reason.to_string(),
            ticket_ref: wanted.ticket.to_string(),
            started_at: now,
            expires_at: now + wanted.lasts.min(Self::LONGEST),
            ended_at: None,
        };
        let predicate = format!(
            "began to draft as {} ({}) in {}, {}",
            user.name,
            member.role,
            org.slug,
            in_words(wanted.mode)
        );
        let draft =
            EventDraft::new(Action::ImpersonationStarted, impersonation.target(), predicate)
                .with_reason(&wanted.reason, Some(&wanted.ticket))
                .with_metadata("mode", wanted.mode)
                .with_metadata("target_user_id", user.id)
                .with_metadata("expires_at", impersonation.expires_at)
                .in_org_log(impersonation.org.clone());
        Ok(Change::recorded(New(impersonation), draft))
    }

    /// Ends it now; its token is refused from the next request on.
    pub fn end(self, now: DateTime<Utc>) -> Result<Change<Self>, ImpersonationError> {
        if !self.is_live(now) {
            return Err(ImpersonationError::EndedAlready);
        }
        let predicate = format!("ended acting as {} in {}", self.target_email, self.org.slug);
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

/// What a front end shows across the page for as long as a guise is worn.
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

/// The banner of an impersonation that has just been started.
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
        "{staff} of support is acting as {target} in {} until {until}, {}. Everything is recorded under both names.",
        org.slug,
        in_words(mode)
    )
}

const fn in_words(mode: Mode) -> &'static str {
    match mode {
        Mode::ReadOnly => "read-only",
        Mode::Full => "with the right to change things",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{actor::Person, feature::Plan, role::Role};
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
        lasts: Duration,
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
        let wanted = StartRequest {
            mode: Mode::ReadOnly,
            reason: Reason::try_from("cannot open the reports".to_owned()).expect("a reason"),
            ticket: TicketRef::try_from("SUP-1".to_owned()).expect("a ticket"),
            lasts,
        };
        let change = Impersonation::start(
            Id::new(Uuid::nil()),
            &by,
            ImpersonationTarget { user, tier, member, org },
            &wanted,
            now,
        )?;
        Ok(change.into_parts().0.0)
    }

    #[test]
    fn never_of_oneself_of_staff_or_of_the_suspended() {
        let half_hour = Impersonation::LONGEST;
        assert_eq!(start(user(1, None), None, half_hour), Err(ImpersonationError::Oneself));
        assert_eq!(
            start(user(2, None), Some(Tier::Support), half_hour),
            Err(ImpersonationError::OfStaff)
        );
        assert_eq!(
            start(user(2, Some(DateTime::UNIX_EPOCH)), None, half_hour),
            Err(ImpersonationError::OfSuspended)
        );
    }

    #[test]
    fn half_an_hour_is_the_most_and_the_end_is_not_part_of_it() {
        let started = start(user(2, None), None, Duration::hours(8)).expect("allowed");
        assert_eq!(started.expires_at - started.started_at, Impersonation::LONGEST);
        assert!(started.is_live(started.expires_at - Duration::microseconds(1)));
        assert!(!started.is_live(started.expires_at));
        assert!(started.end(DateTime::UNIX_EPOCH).is_ok());
    }
}
