//! May they? From what a token leads to ([`Presented`]) to a [`Caller`], and from a caller to a [`Grant`].
//!
//! A grant is the only thing that opens the store, and only the functions here make one. The order is fixed: who
//! ([`recognise`]) → where (not found comes before forbidden) → may they → in whose name.

use chrono::{DateTime, Utc};

use crate::{
    actor::{Actor, Caller, Guise},
    impersonation::{Impersonation, Mode},
    member::Place,
    operation::{Impersonated, InOrg, Operation, Personal, Public, Scope, Staff},
    org::{Org, OrgRef},
    permission::Permission,
    role::Role,
    session::Session,
    staff::Tier,
    user::User,
};

/// What the ids in a valid token lead to in the database.
#[derive(Debug)]
pub struct Presented {
    pub session: Session,
    pub user: User,
    pub tier: Option<Tier>,
    pub guise: Option<PresentedGuise>,
}

/// What the impersonation in a token leads to.
#[derive(Debug)]
pub struct PresentedGuise {
    pub impersonation: Impersonation,
    pub worn: User,
    pub worn_tier: Option<Tier>,
    /// The org it is bound to, unless it is gone.
    pub org: Option<Org>,
    /// The place of the person worn in that org, unless they have left it.
    pub role: Option<Role>,
}

/// Why a valid token is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unrecognised {
    #[error("the session has ended")]
    SessionEnded,
    #[error("the impersonation has ended")]
    ImpersonationEnded,
    #[error("the impersonation has expired")]
    ImpersonationExpired,
}

/// Who is calling. Everything that can end a session or an impersonation early is looked at here, on every request.
pub fn recognise(presented: Presented, now: DateTime<Utc>) -> Result<Caller, Unrecognised> {
    let Presented { session, user, tier, guise } = presented;
    let live = session.is_live(now) && user.suspended_at.is_none();
    let guise = match guise {
        None if live => None,
        None => return Err(Unrecognised::SessionEnded),
        Some(guise) => Some(recognise_guise(guise, live && tier.is_some(), now)?),
    };
    Ok(Caller { person: user.into_person(), tier, session: session.id, guise })
}

fn recognise_guise(
    presented: PresentedGuise,
    staff_is_live: bool,
    now: DateTime<Utc>,
) -> Result<Guise, Unrecognised> {
    let PresentedGuise { impersonation, worn, worn_tier, org, role } = presented;
    if impersonation.ended_at.is_some() || !staff_is_live {
        return Err(Unrecognised::ImpersonationEnded);
    }
    if now >= impersonation.expires_at {
        return Err(Unrecognised::ImpersonationExpired);
    }
    // The person worn has left, been suspended or joined the staff; or the org is gone.
    let gone = worn.suspended_at.is_some() || worn_tier.is_some() || role.is_none();
    match org.filter(|org| !gone && org.deletion_requested_at.is_none()) {
        None => Err(Unrecognised::ImpersonationEnded),
        Some(org) => Ok(Guise {
            impersonation: impersonation.id,
            worn: worn.into_person(),
            org: org.reference(),
            mode: impersonation.mode,
            started_at: impersonation.started_at,
            expires_at: impersonation.expires_at,
        }),
    }
}

/// Why a known caller is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The org is not there for this caller: it does not exist, or they do not belong to it. Nobody can tell which.
    #[error("no such org")]
    NotFound,
    #[error("needs the permission {0}")]
    Forbidden(Permission),
    #[error("never under impersonation")]
    Blocked,
    #[error("not in a read-only impersonation")]
    ReadOnly,
}

/// A known caller, and why they are refused: what `permission.denied` records.
#[derive(Debug)]
pub struct Refused {
    pub caller: Box<Caller>,
    pub denial: Denial,
}

/// The right to do one operation in one place, now. Made here and nowhere else.
#[derive(Debug)]
pub struct Grant<S: Scope> {
    operation: &'static Operation,
    actor: Actor,
    place: S::Place,
}

impl<S: Scope> Grant<S> {
    #[must_use]
    pub const fn operation(&self) -> &'static Operation {
        self.operation
    }

    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    #[must_use]
    pub const fn place(&self) -> &S::Place {
        &self.place
    }
}

/// The org in whose log stands what a caller does outside any org: the one their guise is bound to.
#[must_use]
pub fn home_log(actor: &Actor) -> Option<&OrgRef> {
    actor.caller()?.guise().map(|guise| &guise.org)
}

/// A grant for what nobody has to be signed in for.
#[must_use]
pub const fn admit_anyone(operation: &'static Operation) -> Grant<Public> {
    Grant { operation, actor: Actor::Unproven { email: None }, place: () }
}

/// A grant for an operator at the command line, who has the database anyway; recorded as such.
#[must_use]
pub const fn admit_console(operation: &'static Operation, command: &'static str) -> Grant<Staff> {
    Grant { operation, actor: Actor::System { command }, place: () }
}

/// A scope that a known caller can be admitted to.
pub trait Admits: Scope + Sized {
    /// `place` is where the caller stands in the org of the request, if there is such an org and they do.
    fn admit(
        operation: &'static Operation,
        caller: Box<Caller>,
        place: Option<Place>,
    ) -> Result<Grant<Self>, Refused>;
}

impl Admits for Personal {
    fn admit(
        operation: &'static Operation,
        caller: Box<Caller>,
        _: Option<Place>,
    ) -> Result<Grant<Self>, Refused> {
        grant(operation, caller, (), |_, _| true)
    }
}

impl Admits for InOrg {
    fn admit(
        operation: &'static Operation,
        caller: Box<Caller>,
        place: Option<Place>,
    ) -> Result<Grant<Self>, Refused> {
        let bound_elsewhere =
            |place: &Place| caller.guise().is_some_and(|guise| guise.org.id != place.org.id);
        match place
            .filter(|place| !bound_elsewhere(place) && place.org.deletion_requested_at.is_none())
        {
            None => Err(Refused { caller, denial: Denial::NotFound }),
            Some(place) => {
                let role = place.role;
                grant(operation, caller, place, |needed, _| needed.is_of_role(role))
            }
        }
    }
}

impl Admits for Staff {
    fn admit(
        operation: &'static Operation,
        caller: Box<Caller>,
        _: Option<Place>,
    ) -> Result<Grant<Self>, Refused> {
        // Under a guise the staff portal is closed; that it is blocked says more than that a customer has no tier.
        if caller.guise().is_some() {
            return Err(Refused { caller, denial: Denial::Blocked });
        }
        grant(operation, caller, (), |needed, caller| {
            caller.effective_tier().is_some_and(|tier| needed.is_of_tier(tier))
        })
    }
}

fn grant<S: Scope>(
    operation: &'static Operation,
    caller: Box<Caller>,
    place: S::Place,
    may: impl FnOnce(Permission, &Caller) -> bool,
) -> Result<Grant<S>, Refused> {
    let denial = match operation.needs {
        Some(needed) if !may(needed, &caller) => Some(Denial::Forbidden(needed)),
        _ => caller.guise().and_then(|guise| match (operation.impersonated, guise.mode) {
            (Impersonated::Blocked, _) => Some(Denial::Blocked),
            (Impersonated::Full, Mode::ReadOnly) => Some(Denial::ReadOnly),
            (Impersonated::Full, Mode::Full) | (Impersonated::Allowed, _) => None,
        }),
    };
    match denial {
        Some(denial) => Err(Refused { caller, denial }),
        None => Ok(Grant { operation, actor: Actor::Caller(caller), place }),
    }
}
