//! Sign-ins. A session lives as long as its refresh token keeps rotating, and ends at once when it is told to.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

use crate::{
    Id,
    action::Action,
    actor::{Actor, Caller, Person},
    change::{Change, New},
    event::{EventDraft, Outcome, Source, Target, TargetType},
    id::Named,
    id::{SessionId, UserId},
    staff::Tier,
    user::User,
};

/// One sign-in of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    pub id: SessionId,
    #[serde(skip)]
    pub user_id: UserId,
    /// When they signed in.
    pub created_at: DateTime<Utc>,
    /// When it last got a fresh access token.
    pub last_used_at: DateTime<Utc>,
    /// When it ends unless it is refreshed before.
    pub expires_at: DateTime<Utc>,
    /// When it ended; null while it is open.
    pub ended_at: Option<DateTime<Utc>>,
    /// The address it was opened from.
    #[cfg_attr(feature = "openapi", schema(example = "203.0.113.9"))]
    pub ip: Option<String>,
    /// The program it was opened with.
    #[cfg_attr(feature = "openapi", schema(example = "Mozilla/5.0"))]
    pub user_agent: Option<String>,
}

impl Named for Session {
    const PREFIX: &'static str = "sess";
    const SCHEMA: &'static str = "SessionId";
}

impl Session {
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    /// Opens a session for somebody who has just proved who they are.
    pub fn open(
        id: Id<Self>,
        user: &User,
        tier: Option<Tier>,
        now: DateTime<Utc>,
        lasts: Duration,
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
            expires_at: now + lasts,
            ended_at: None,
            ip: source.ip.map(|ip| ip.to_string()),
            user_agent: source.user_agent.clone(),
        };
        Change::recorded(New(session), draft)
    }

    /// Keeps the session alive; what a refresh token does when it rotates.
    #[must_use]
    pub fn refreshed(self, now: DateTime<Utc>, lasts: Duration) -> Self {
        Self { last_used_at: now, expires_at: now + lasts, ..self }
    }

    /// Signs out.
    pub fn sign_out(self, label: &str, now: DateTime<Utc>) -> Change<Self> {
        if self.ended_at.is_some() {
            return Change::unchanged(self);
        }
        self.end(Action::AuthLoggedOut, label, "signed out", now)
    }

    /// Ends another of one's own sessions; ending it twice is as good as once.
    pub fn revoke(self, label: &str, now: DateTime<Utc>) -> Change<Self> {
        if self.ended_at.is_some() {
            return Change::unchanged(self);
        }
        self.end(Action::AuthSessionRevoked, label, "ended one of their sessions", now)
    }

    /// Ends the session because one of its used refresh tokens came back: somebody else holds a copy (RFC 9700, 4.14.2).
    pub fn refresh_reused(self, user: &User, now: DateTime<Utc>) -> Change<Self> {
        let target = Target::new(TargetType::Session, self.id, &user.email);
        let draft = EventDraft::new(
            Action::AuthRefreshReused,
            target,
            "identity a refresh token that had been used; the session was ended",
        )
        .with_outcome(Outcome::Denied)
        .with_actor(Actor::Anonymous { email: Some(user.email.clone()) });
        Change::recorded(Self { ended_at: Some(now), ..self }, draft)
    }

    fn end(self, action: Action, label: &str, predicate: &str, now: DateTime<Utc>) -> Change<Self> {
        let draft =
            EventDraft::new(action, Target::new(TargetType::Session, self.id, label), predicate);
        Change::recorded(Self { ended_at: Some(now), ..self }, draft)
    }
}

/// What a failed sign-in leaves in the record: the same whether or not there is an account of that address.
pub fn sign_in_failed(email: &str) -> EventDraft {
    let target = Target { kind: TargetType::User, id: None, label: email.to_owned() };
    EventDraft::new(Action::AuthLoginFailed, target, "failed to sign in")
        .with_outcome(Outcome::Failed)
        .with_actor(Actor::Anonymous { email: Some(email.to_owned()) })
}
