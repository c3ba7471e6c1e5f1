//! Who acts. Two identities travel together, and no accessor is ambiguous about which it gives:
//! [`Caller::accountable`] answers for what is done, [`Caller::effective`] is whose rights it is done with.

use chrono::{DateTime, Utc};

use crate::{
    Id,
    impersonation::{Impersonation, Mode},
    org::OrgRef,
    session::Session,
    staff::Tier,
    user::User,
};

/// A person as the record names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: Id<User>,
    pub name: String,
    pub email: String,
}

/// Somebody who has proved who they are, made by [`crate::policy::recognise`].
#[derive(Debug, Clone)]
pub struct Caller {
    pub(crate) person: Person,
    pub(crate) tier: Option<Tier>,
    pub(crate) session: Id<Session>,
    pub(crate) impersonation: Option<ActiveImpersonation>,
}

/// The identity that a member of the vendor's staff wears for a while.
#[derive(Debug, Clone)]
pub struct ActiveImpersonation {
    pub id: Id<Impersonation>,
    pub target: Person,
    /// The only org that this guise opens.
    pub org: OrgRef,
    pub mode: Mode,
    pub started_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Caller {
    /// Who really acts, and answers for it.
    #[must_use]
    pub const fn accountable(&self) -> &Person {
        &self.person
    }

    /// Whose rights are exercised: the person worn, or else the same person.
    #[must_use]
    pub fn effective(&self) -> &Person {
        self.impersonation.as_ref().map_or(&self.person, |impersonation| &impersonation.target)
    }

    /// The tier of the one who answers for it, whatever they wear.
    #[must_use]
    pub const fn accountable_tier(&self) -> Option<Tier> {
        self.tier
    }

    /// The tier whose rights are exercised: none under a guise, since staff are never worn.
    #[must_use]
    pub const fn effective_tier(&self) -> Option<Tier> {
        if self.impersonation.is_some() { None } else { self.tier }
    }

    /// The sign-in that all of this hangs on: under a guise still the staff member's own.
    #[must_use]
    pub const fn session(&self) -> Id<Session> {
        self.session
    }

    #[must_use]
    pub const fn impersonation(&self) -> Option<&ActiveImpersonation> {
        self.impersonation.as_ref()
    }
}

/// Whom the record names as the one who acted.
#[derive(Debug, Clone)]
pub enum Actor {
    Caller(Box<Caller>),
    /// Nobody has proved anything yet; this is the e-mail address they gave, if any.
    Anonymous {
        email: Option<String>,
    },
    /// An operator at the command line, by the name of the command.
    Cli {
        command: &'static str,
    },
    /// Postern itself: a background job.
    System,
}

impl Actor {
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        match self {
            Self::Caller(caller) => Some(caller),
            Self::Anonymous { .. } | Self::Cli { .. } | Self::System => None,
        }
    }
}
