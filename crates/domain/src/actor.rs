//! Identities of a request: [`Caller::accountable`] is responsible for it, and the rights of
//! [`Caller::effective`] apply to it. They differ only under impersonation.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    id::{ImpersonationId, SessionId, UserId},
    mode::Mode,
    org_ref::OrgRef,
    tier::Tier,
};

/// Reference to a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = UserRef))]
pub struct Person {
    pub id: UserId,
    /// E-mail address.
    #[cfg_attr(feature = "openapi", schema(example = "owner@acme.example", max_length = 254))]
    pub email: String,
    /// Display name.
    #[cfg_attr(feature = "openapi", schema(example = "Ana Costa", max_length = 100))]
    pub name: String,
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
    pub reason: String,
    pub ticket_ref: String,
    pub started_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// An impersonation as named in the events that belong to it.
#[derive(Debug, Clone)]
pub struct ImpersonationRef {
    pub id: ImpersonationId,
    /// The impersonated user.
    pub user: Person,
    pub ticket_ref: String,
}

impl ActiveImpersonation {
    #[must_use]
    pub fn reference(&self) -> ImpersonationRef {
        let Self { id, target, ticket_ref, .. } = self;
        ImpersonationRef { id: *id, user: target.clone(), ticket_ref: ticket_ref.clone() }
    }
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
