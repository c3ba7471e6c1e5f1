//! Sessions. A session is extended by each rotation of its refresh token, and can be ended at any
//! time.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

use crate::{
    action::Action,
    actor::{Actor, Caller, Person},
    change::{Change, New},
    effect::{Effect, ImpersonationsOf},
    event::Source,
    event_draft::{EventDraft, Outcome, Target, TargetType},
    id::{SessionId, UserId},
    tier::Tier,
    user::User,
};

/// A session: one sign-in of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    pub id: SessionId,
    #[serde(skip)]
    pub user_id: UserId,
    /// Time of the sign-in.
    pub created_at: DateTime<Utc>,
    /// Time of the sign-in or of the last refresh.
    pub last_used_at: DateTime<Utc>,
    /// Time of expiry, unless the session is refreshed before.
    pub expires_at: DateTime<Utc>,
    /// Time at which it was ended; null if active or expired.
    pub ended_at: Option<DateTime<Utc>>,
    /// IP address of the sign-in.
    #[cfg_attr(feature = "openapi", schema(example = "203.0.113.9", max_length = 40))]
    pub ip: Option<String>,
    /// `User-Agent` of the sign-in.
    #[cfg_attr(feature = "openapi", schema(example = "Mozilla/5.0", max_length = 200))]
    pub user_agent: Option<String>,
}

impl Session {
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    /// Opens a session for a user who has just been authenticated.
    pub fn open(
        id: SessionId,
        user: &User,
        tier: Option<Tier>,
        now: DateTime<Utc>,
        lifetime: Duration,
        source: &Source,
    ) -> Change<New<Self>> {
        let person = Person { id: user.id, name: user.name.clone(), email: user.email.clone() };
        let caller = Caller { person, tier, session: id, impersonation: None };
        let draft = EventDraft::new(Action::AuthLoginSucceeded, user.target(), "signed in")
            .with_actor(Actor::Caller(Box::new(caller)));
        let session = Self {
            id,
            user_id: user.id,
            created_at: now,
            last_used_at: now,
            expires_at: now + lifetime,
            ended_at: None,
            ip: source.ip.map(|ip| ip.to_string()),
            user_agent: source.user_agent.clone(),
        };
        Change::recorded(New(session), draft)
    }

    /// Extends the session, when its refresh token is rotated.
    #[must_use]
    pub fn refreshed(self, now: DateTime<Utc>, lifetime: Duration) -> Self {
        Self { last_used_at: now, expires_at: now + lifetime, ..self }
    }

    /// Signs out.
    pub fn sign_out(self, label: &str, now: DateTime<Utc>) -> Change<Self> {
        if self.ended_at.is_some() {
            return Change::unchanged(self);
        }
        self.end(Action::AuthLoggedOut, label, "signed out", now)
    }

    /// Ends another of the user's sessions. Idempotent.
    pub fn revoke(self, label: &str, now: DateTime<Utc>) -> Change<Self> {
        if self.ended_at.is_some() {
            return Change::unchanged(self);
        }
        self.end(Action::AuthSessionRevoked, label, "ended one of their sessions", now)
    }

    /// Ends the session because a used refresh token was presented again, which indicates theft
    /// (RFC 9700, 4.14.2).
    pub fn refresh_reused(self, user: &User, now: DateTime<Utc>) -> Change<Self> {
        let target = Target::new(TargetType::Session, self.id, &user.email);
        let draft = EventDraft::new(
            Action::AuthRefreshReused,
            target,
            "reused a refresh token; the session was ended",
        )
        .with_outcome(Outcome::Denied)
        .with_actor(Actor::Anonymous { email: Some(user.email.clone()) });
        self.ended(draft, now)
    }

    fn end(self, action: Action, label: &str, predicate: &str, now: DateTime<Utc>) -> Change<Self> {
        let draft =
            EventDraft::new(action, Target::new(TargetType::Session, self.id, label), predicate);
        self.ended(draft, now)
    }

    /// The ended session; the impersonations started in it end as well.
    fn ended(self, draft: EventDraft, now: DateTime<Utc>) -> Change<Self> {
        let effect = Effect::EndImpersonations(ImpersonationsOf::Session(self.id));
        Change::recorded(Self { ended_at: Some(now), ..self }, draft).with_effect(effect)
    }
}

/// Event of a failed sign-in: the same whether or not the address has an account.
pub fn sign_in_failed(email: &str) -> EventDraft {
    let target = Target { kind: TargetType::User, id: None, label: email.to_owned() };
    EventDraft::new(Action::AuthLoginFailed, target, "failed to sign in")
        .with_outcome(Outcome::Failed)
        .with_actor(Actor::Anonymous { email: Some(email.to_owned()) })
}
