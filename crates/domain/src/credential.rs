//! Passwords and rate limits on attempts. Password hashes are never serialized or printed.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use crate::{
    action::Action,
    actor::Caller,
    change::Change,
    effect::Effect,
    event_draft::{EventDraft, Target, TargetType},
    id::UserId,
    user::User,
};

/// Password hash, as a PHC string.
pub type PasswordHash = SecretString;

/// A changed password. Saving it ends the user's other sessions.
#[derive(Debug)]
pub struct NewPassword {
    pub user: UserId,
    pub hash: PasswordHash,
    pub changed_at: DateTime<Utc>,
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
        let (user, kept_session) = (person.id, caller.session());
        Change::recorded(Self { user, hash, changed_at: now }, draft)
            .with_effect(Effect::EndOtherSessions { user, kept_session })
    }
}

/// Number of failed attempts within the window, and the time of the first one.
#[derive(Debug, Clone, Copy)]
pub struct Failures {
    pub count: u64,
    pub first: Option<DateTime<Utc>>,
}

/// Failed attempts that limit further attempts to use a password.
#[derive(Debug)]
pub struct Attempts {
    /// For the e-mail address, whether or not it has an account.
    pub by_account: Failures,
    /// For the e-mail address, from the caller's network (IPv6: /64).
    pub by_account_and_network: Failures,
    /// From the caller's network, for any account.
    pub by_network: Failures,
    /// Whether the account has an active session that was opened from the caller's network.
    pub has_session_from_network: bool,
}

/// Maximum failures within the window, per account and per IP address.
#[derive(Debug, Clone, Copy)]
pub struct AttemptLimits {
    pub window: TimeDelta,
    pub per_account: u64,
    pub per_address: u64,
}

impl Attempts {
    /// Time until the next attempt is allowed; `None` if it is allowed now.
    #[must_use]
    pub fn wait(&self, limits: AttemptLimits, now: DateTime<Utc>) -> Option<TimeDelta> {
        // Failures from elsewhere must not lock users out at an address where they are signed in.
        let account_failures = if self.has_session_from_network {
            self.by_account_and_network
        } else {
            self.by_account
        };
        [(account_failures, limits.per_account), (self.by_network, limits.per_address)]
            .into_iter()
            .filter(|(failures, limit)| failures.count >= *limit)
            .map(|(failures, _)| failures.first.unwrap_or(now) + limits.window - now)
            .max()
    }
}

/// A user created by an operator, with the initial password.
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
            format!("created an account for {}", user.email),
        );
        Change::recorded(Self { user, hash }, draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_elsewhere_do_not_block_an_ip_address_with_a_session() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(5);
        let limits =
            AttemptLimits { window: TimeDelta::hours(1), per_account: 10, per_address: 300 };
        let failures = |count| Failures { count, first: Some(now - TimeDelta::minutes(20)) };
        let attempts = |account, account_and_network, network, has_session_from_network| Attempts {
            by_account: failures(account),
            by_account_and_network: failures(account_and_network),
            by_network: failures(network),
            has_session_from_network,
        };
        assert_eq!(
            attempts(9, 0, 0, false).wait(limits, now),
            None,
            "failures below the limit do not block"
        );
        assert_eq!(
            attempts(10, 0, 0, false).wait(limits, now),
            Some(TimeDelta::minutes(40)),
            "the account is blocked until the window ends"
        );
        assert_eq!(
            attempts(1000, 9, 299, true).wait(limits, now),
            None,
            "an address with a session is not blocked by failures elsewhere"
        );
        assert_eq!(
            attempts(1000, 10, 10, true).wait(limits, now),
            Some(TimeDelta::minutes(40)),
            "an address with a session is blocked by its own failures"
        );
        assert_eq!(
            attempts(0, 0, 300, false).wait(limits, now),
            Some(TimeDelta::minutes(40)),
            "the IP address is blocked for all accounts"
        );
    }
}
