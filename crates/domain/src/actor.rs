//! Identities of a request: [`Caller::accountable`] is responsible for it, and the rights of
//! [`Caller::effective`] apply to it. They differ only under impersonation.

use chrono::{DateTime, Utc};

use crate::{
    id::{ImpersonationId, SessionId, UserId},
    mode::Mode,
    org_ref::OrgRef,
    tier::Tier,
};

/// A user as named in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub email: String,
}

/// An authenticated caller, created by [`crate::policy::authenticate`].
#[derive(Debug, Clone)]
pub struct Caller {
    pub(crate) person: Person,
    pub(crate) tier: Option<Tier>,
    pub(crate) session: SessionId,
    pub(crate) impersonation: Option<ActiveImpersonation>,
}

/// An active impersonation of the caller.
#[derive(Debug, Clone)]
pub struct ActiveImpersonation {
    pub id: ImpersonationId,
    pub target: Person,
    /// The only org that the impersonation gives access to.
    pub org: OrgRef,
    pub mode: Mode,
    pub started_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Caller {
    /// The user who is responsible; under impersonation the staff member.
    #[must_use]
    pub const fn accountable(&self) -> &Person {
        &self.person
    }

    /// The user that has the rights that apply: the impersonated user, if any.
    #[must_use]
    pub fn effective(&self) -> &Person {
        self.impersonation.as_ref().map_or(&self.person, |impersonation| &impersonation.target)
    }

    /// The accountable user's tier, also under impersonation.
    #[must_use]
    pub const fn accountable_tier(&self) -> Option<Tier> {
        self.tier
    }

    /// The tier that has the rights that apply: none under impersonation, because staff cannot be
    /// impersonated.
    #[must_use]
    pub const fn effective_tier(&self) -> Option<Tier> {
        if self.impersonation.is_some() { None } else { self.tier }
    }

    /// The session of the accountable user; an impersonation has no session.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    #[must_use]
    pub const fn impersonation(&self) -> Option<&ActiveImpersonation> {
        self.impersonation.as_ref()
    }
}

/// The actor of an audit event.
#[derive(Debug, Clone)]
pub enum Actor {
    Caller(Box<Caller>),
    /// An unauthenticated caller, with the e-mail address that they gave, if any.
    Anonymous {
        email: Option<String>,
    },
    /// An operator at the command line, with the name of the command.
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
