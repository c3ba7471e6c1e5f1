//! May they? From what a token leads to ([`LoadedIdentity`]) to a [`Caller`], and from a caller to a [`Grant`].
//!
//! A grant is the only thing that opens the store, and only the functions here make one. The order is fixed: who
//! ([`recognise`]) → where (not found comes before forbidden) → may they → in whose name.

use chrono::{DateTime, Utc};

use crate::{
    actor::{ActiveImpersonation, Actor, Caller},
    impersonation::{Impersonation, Mode},
    member::OrgContext,
    operation::{Impersonated, Operation},
    org::{Org, OrgRef},
    permission::Permission,
    role::Role,
    scope::{self, Scope},
    session::Session,
    staff::Tier,
    user::User,
};

/// What the ids in a valid token lead to in the database.
#[derive(Debug)]
pub struct LoadedIdentity {
    pub session: Session,
    pub user: User,
    pub tier: Option<Tier>,
    pub impersonation: Option<LoadedImpersonation>,
}

/// What the impersonation in a token leads to.
#[derive(Debug)]
pub struct LoadedImpersonation {
    pub state: Impersonation,
    pub target: User,
    pub target_tier: Option<Tier>,
    /// The org it is bound to, unless it is gone.
    pub org: Option<Org>,
    /// The place of the person worn in that org, unless they have left it.
    pub role: Option<Role>,
}

/// Why a valid token is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    #[error("the session has ended")]
    SessionEnded,
    #[error("the impersonation has ended")]
    ImpersonationEnded,
    #[error("the impersonation has expired")]
    ImpersonationExpired,
}

/// Who is calling. Everything that can end a session or an impersonation early is looked at here, on every request.
pub fn authenticate(
    identity: LoadedIdentity,
    now: DateTime<Utc>,
) -> Result<Caller, AuthenticationError> {
    let LoadedIdentity { session, user, tier, impersonation } = identity;
    let live = session.is_live(now) && user.suspended_at.is_none();
    let impersonation = match impersonation {
        None if live => None,
        None => return Err(AuthenticationError::SessionEnded),
        Some(impersonation) => {
            Some(authenticate_impersonation(impersonation, live && tier.is_some(), now)?)
        }
    };
    Ok(Caller { person: user.into_person(), tier, session: session.id, impersonation })
}

fn authenticate_impersonation(
    identity: LoadedImpersonation,
    staff_is_live: bool,
    now: DateTime<Utc>,
) -> Result<ActiveImpersonation, AuthenticationError> {
    let LoadedImpersonation { state, target, target_tier, org, role } = identity;
    if state.ended_at.is_some() || !staff_is_live {
        return Err(AuthenticationError::ImpersonationEnded);
    }
    if now >= state.expires_at {
        return Err(AuthenticationError::ImpersonationExpired);
    }
    // The person worn has left, been suspended or joined the staff; or the org is gone.
    let gone = target.suspended_at.is_some() || target_tier.is_some() || role.is_none();
    match org.filter(|org| !gone && org.deletion_requested_at.is_none()) {
        None => Err(AuthenticationError::ImpersonationEnded),
        Some(org) => Ok(ActiveImpersonation {
            id: state.id,
            target: target.into_person(),
            org: org.reference(),
            mode: state.mode,
            started_at: state.started_at,
            expires_at: state.expires_at,
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
pub struct Denied {
    pub caller: Box<Caller>,
    pub denial: Denial,
}

/// The right to do one operation in one place, now. Made here and nowhere else.
#[derive(Debug)]
pub struct Grant<S: Scope> {
    operation: &'static Operation,
    actor: Actor,
    context: S::Context,
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
    pub const fn context(&self) -> &S::Context {
        &self.context
    }
}

/// The org in whose log stands what a caller does outside any org: the one their guise is bound to.
#[must_use]
pub fn impersonated_org(actor: &Actor) -> Option<&OrgRef> {
    actor.caller()?.impersonation().map(|impersonation| &impersonation.org)
}

/// A grant for what nobody has to be signed in for.
#[must_use]
pub const fn authorize_anonymous(operation: &'static Operation) -> Grant<scope::Public> {
    Grant { operation, actor: Actor::Anonymous { email: None }, context: () }
}

/// A grant for an operator at the command line, who has the database anyway; recorded as such.
#[must_use]
pub const fn authorize_cli(
    operation: &'static Operation,
    command: &'static str,
) -> Grant<scope::Staff> {
    Grant { operation, actor: Actor::Cli { command }, context: () }
}

/// A scope that a known caller can be admitted to.
pub trait Authorize: Scope + Sized {
    /// `place` is where the caller stands in the org of the request, if there is such an org and they do.
    fn authorize(
        operation: &'static Operation,
        caller: Box<Caller>,
        context: Option<OrgContext>,
    ) -> Result<Grant<Self>, Denied>;
}

impl Authorize for scope::User {
    fn authorize(
        operation: &'static Operation,
        caller: Box<Caller>,
        _: Option<OrgContext>,
    ) -> Result<Grant<Self>, Denied> {
        grant(operation, caller, (), |_, _| true)
    }
}

impl Authorize for scope::Org {
    fn authorize(
        operation: &'static Operation,
        caller: Box<Caller>,
        context: Option<OrgContext>,
    ) -> Result<Grant<Self>, Denied> {
        let bound_elsewhere = |context: &OrgContext| {
            caller
                .impersonation()
                .is_some_and(|impersonation| impersonation.org.id != context.org.id)
        };
        match context.filter(|context| {
            !bound_elsewhere(context) && context.org.deletion_requested_at.is_none()
        }) {
            None => Err(Denied { caller, denial: Denial::NotFound }),
            Some(context) => {
                let role = context.role;
                grant(operation, caller, context, |needed, _| needed.granted_to_role(role))
            }
        }
    }
}

impl Authorize for scope::Staff {
    fn authorize(
        operation: &'static Operation,
        caller: Box<Caller>,
        _: Option<OrgContext>,
    ) -> Result<Grant<Self>, Denied> {
        // Under a guise the staff portal is closed; that it is blocked says more than that a customer has no tier.
        if caller.impersonation().is_some() {
            return Err(Denied { caller, denial: Denial::Blocked });
        }
        grant(operation, caller, (), |needed, caller| {
            caller.effective_tier().is_some_and(|tier| needed.granted_to_tier(tier))
        })
    }
}

fn grant<S: Scope>(
    operation: &'static Operation,
    caller: Box<Caller>,
    context: S::Context,
    may: impl FnOnce(Permission, &Caller) -> bool,
) -> Result<Grant<S>, Denied> {
    let denial = match operation.needs {
        Some(needed) if !may(needed, &caller) => Some(Denial::Forbidden(needed)),
        _ => caller.impersonation().and_then(|impersonation| {
            match (operation.impersonated, impersonation.mode) {
                (Impersonated::Blocked, _) => Some(Denial::Blocked),
                (Impersonated::Write, Mode::ReadOnly) => Some(Denial::ReadOnly),
                (Impersonated::Write, Mode::Full) | (Impersonated::Allowed, _) => None,
            }
        }),
    };
    match denial {
        Some(denial) => Err(Denied { caller, denial }),
        None => Ok(Grant { operation, actor: Actor::Caller(caller), context }),
    }
}
