//! How people prove who they are. What is here never serializes and never prints.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::{
    action::Action,
    actor::Caller,
    change::Change,
    event::{Act, Target, TargetType},
    id::{SessionId, UserId},
    user::User,
};

/// A password's hash, as a PHC string.
pub type PasswordHash = SecretString;

/// A password that has been changed. All other sessions of the person end with it.
#[derive(Debug)]
pub struct PasswordChanged {
    pub user: UserId,
    pub hash: PasswordHash,
    pub changed_at: DateTime<Utc>,
    /// The session it was changed in, which goes on.
    pub spared: SessionId,
}

impl PasswordChanged {
    pub fn by(caller: &Caller, hash: PasswordHash, now: DateTime<Utc>) -> Change<Self> {
        let person = caller.accountable();
        let target = Target::new(TargetType::User, person.id, &person.email);
        let act = Act::new(Action::UserPasswordChanged, target, "changed their password and ended their other sessions");
        Change::recorded(Self { user: person.id, hash, changed_at: now, spared: caller.session() }, act)
    }
}

/// An account that an operator has made, with its first password.
#[derive(Debug)]
pub struct Registered {
    pub user: User,
    pub hash: PasswordHash,
}

impl Registered {
    pub fn new(id: UserId, email: String, name: String, hash: PasswordHash, now: DateTime<Utc>) -> Change<Self> {
        let user = User { id, email, name, image_url: None, created_at: now, suspended_at: None };
        let act = Act::new(Action::UserCreated, user.target(), format!("made an account for {}", user.email));
        Change::recorded(Self { user, hash }, act)
    }
}
