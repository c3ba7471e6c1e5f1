//! How people prove who they are. What is here never serializes and never prints.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use crate::{
    action::Action,
    actor::Caller,
    change::Change,
    event::{EventDraft, Target, TargetType},
    id::{SessionId, UserId},
    user::User,
};

/// A password's hash, as a PHC string.
pub type PasswordHash = SecretString;

/// A password that has been changed. All other sessions of the person end with it.
#[derive(Debug)]
pub struct NewPassword {
    pub user: UserId,
    pub hash: PasswordHash,
    pub changed_at: DateTime<Utc>,
    /// The session it was changed in, which goes on.
    pub kept_session: SessionId,
}

impl NewPassword {
    pub fn by(caller: &Caller, hash: PasswordHash, now: DateTime<Utc>) -> Change<Self> {
        let person = caller.accountable();
        let target = Target::new(TargetType::User, person.id, &person.email);
        let draft = EventDraft::new(
            Action::UserPasswordChanged,
            target,
            "changed their password and ended their other sessions",
        );
        Change::recorded(
            Self { user: person.id, hash, changed_at: now, kept_session: caller.session() },
            draft,
        )
    }
}

/// How often somebody failed to prove who they are, and when first, within the window that counts.
#[derive(Debug, Clone, Copy)]
pub struct Failures {
    pub count: u64,
    pub first: Option<DateTime<Utc>>,
}

/// The failures that an attempt to prove a password is judged by.
#[derive(Debug)]
pub struct Attempts {
    /// For that address, whether or not there is an account.
    pub by_account: Failures,
    /// Those of them that came from the caller's address.
    pub by_account_from_here: Failures,
    /// From the caller's address, for whatever account.
    pub from_here: Failures,
    /// Whether the account has a live session that was opened from the caller's address.
    pub known_here: bool,
}

/// How many failures there may be within how long.
#[derive(Debug, Clone, Copy)]
pub struct AttemptLimits {
    pub window: TimeDelta,
    pub per_account: u64,
    pub per_address: u64,
}

impl Attempts {
    /// How long to wait until the next attempt, if that is not allowed now.
    #[must_use]
    pub fn wait(&self, limits: AttemptLimits, now: DateTime<Utc>) -> Option<TimeDelta> {
        // Strangers cannot lock anybody out of where they are signed in already.
        let of_account = if self.known_here { self.by_account_from_here } else { self.by_account };
        [(of_account, limits.per_account), (self.from_here, limits.per_address)]
            .into_iter()
            .filter(|(failures, limit)| failures.count >= *limit)
            .map(|(failures, _)| failures.first.unwrap_or(now) + limits.window - now)
            .max()
    }
}

/// An account that an operator has made, with its first password.
#[derive(Debug)]
pub struct NewUser {
    pub user: User,
    pub hash: PasswordHash,
}

impl NewUser {
    pub fn new(
        id: UserId,
        email: String,
        name: String,
        hash: PasswordHash,
        now: DateTime<Utc>,
    ) -> Change<Self> {
        let user = User { id, email, name, image_url: None, created_at: now, suspended_at: None };
        let draft = EventDraft::new(
            Action::UserCreated,
            user.target(),
            format!("made an account for {}", user.email),
        );
        Change::recorded(Self { user, hash }, draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_lock_nobody_out_of_where_they_are_signed_in() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(5);
        let limits =
            AttemptLimits { window: TimeDelta::hours(1), per_account: 10, per_address: 300 };
        let so_many = |count| Failures { count, first: Some(now - TimeDelta::minutes(20)) };
        let attempts = |account, both, here, known_here| Attempts {
            by_account: so_many(account),
            by_account_from_here: so_many(both),
            from_here: so_many(here),
            known_here,
        };
        assert_eq!(attempts(9, 0, 0, false).wait(limits, now), None);
        assert_eq!(attempts(10, 0, 0, false).wait(limits, now), Some(TimeDelta::minutes(40)));
        assert_eq!(attempts(1000, 9, 299, true).wait(limits, now), None);
        assert_eq!(attempts(1000, 10, 10, true).wait(limits, now), Some(TimeDelta::minutes(40)));
        assert_eq!(attempts(0, 0, 300, false).wait(limits, now), Some(TimeDelta::minutes(40)));
    }
}
