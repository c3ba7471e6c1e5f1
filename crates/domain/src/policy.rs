//! Authentication and authorization: from a [`LoadedIdentity`] to a [`Caller`], and from a caller
//! to a [`Grant`].
//!
//! A grant is required for access to the store, and only functions of this module create one. The
//! order is fixed: authentication ([`authenticate`]), scope (404 before 403), permission,
//! impersonation.

use chrono::{DateTime, Utc};

use crate::{
    actor::{ActiveImpersonation, Actor, Caller},
    effect::ImpersonationsOf,
    end_cause::EndCause,
    id::ImpersonationId,
    impersonation::Impersonation,
    mode::Mode,
    operation::{Impersonated, Operation},
    org::Org,
    org_context::OrgContext,
    org_ref::OrgRef,
    permission::Permission,
    role::Role,
    scope::{self, Scope},
    session::Session,
    tier::Tier,
    user::User,
};

/// Rows that a valid access token refers to.
#[derive(Debug)]
pub struct LoadedIdentity {
    pub session: Session,
    pub user: User,
    pub tier: Option<Tier>,
    pub impersonation: Option<LoadedImpersonation>,
}

/// Rows that the impersonation in an access token refers to.
#[derive(Debug)]
pub struct LoadedImpersonation {
    pub state: Impersonation,
    pub target: User,
    pub target_tier: Option<Tier>,
    pub org: Org,
    /// The target's role in that org, unless they have left it.
    pub role: Option<Role>,
}

/// Reason for which a valid access token is no longer accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    #[error("the session has ended")]
    SessionEnded,
    #[error("the impersonation has ended")]
    ImpersonationEnded,
    /// The impersonation became invalid without being ended: rows were changed outside the server,
    /// or the session expired. It must be ended now.
    #[error("the impersonation has become invalid")]
    ImpersonationInvalid { id: ImpersonationId, cause: EndCause },
    #[error("the impersonation has expired")]
    ImpersonationExpired,
}

/// Authenticates the caller. Everything that can end a session or an impersonation early is checked
/// here, on every request.
pub fn authenticate(
    identity: LoadedIdentity,
    now: DateTime<Utc>,
) -> Result<Caller, AuthenticationError> {
    let LoadedIdentity { session, user, tier, impersonation } = identity;
    let impersonation = match impersonation {
        None if session.is_live(now) && user.suspended_at.is_none() => None,
        None => return Err(AuthenticationError::SessionEnded),
        Some(impersonation) => {
            if impersonation.state.ended_at.is_some() {
                return Err(AuthenticationError::ImpersonationEnded);
            }
            if now >= impersonation.state.expires_at {
                return Err(AuthenticationError::ImpersonationExpired);
            }
            if let Some(of) = invalidity(&session, &user, tier, &impersonation, now) {
                let (id, cause) = (impersonation.state.id, of.cause());
                return Err(AuthenticationError::ImpersonationInvalid { id, cause });
            }
            Some(active(impersonation))
        }
    };
    Ok(Caller { person: user.into_person(), tier, session: session.id, impersonation })
}

/// The invalid impersonations that an impersonation belongs to; `None` if it is valid. Named by the
/// effect of the change that makes them invalid, so that each condition has such an effect.
fn invalidity(
    session: &Session,
    staff: &User,
    staff_tier: Option<Tier>,
    LoadedImpersonation { state: _, target, target_tier, org, role }: &LoadedImpersonation,
    now: DateTime<Utc>,
) -> Option<ImpersonationsOf> {
    let conditions = [
        (staff.suspended_at.is_some(), ImpersonationsOf::Suspended(staff.id)),
        (target.suspended_at.is_some(), ImpersonationsOf::Suspended(target.id)),
        (staff_tier.is_none(), ImpersonationsOf::Staff(staff.id)),
        (target_tier.is_some(), ImpersonationsOf::NewStaff(target.id)),
        (org.deletion_requested_at.is_some(), ImpersonationsOf::Org(org.id)),
        (role.is_none(), ImpersonationsOf::Membership { org: org.id, target: target.id }),
        (!session.is_live(now), ImpersonationsOf::Session(session.id)),
    ];
    conditions.into_iter().find(|(holds, _)| *holds).map(|(_, of)| of)
}

fn active(impersonation: LoadedImpersonation) -> ActiveImpersonation {
    let LoadedImpersonation { state, target, org, .. } = impersonation;
    ActiveImpersonation {
        id: state.id,
        target: target.into_person(),
        org: org.reference(),
        mode: state.mode,
        reason: state.reason,
        ticket_ref: state.ticket_ref,
        started_at: state.started_at,
        expires_at: state.expires_at,
    }
}

/// Reason for which an authenticated caller is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The org does not exist, or the caller does not belong to it. The response is the same.
    #[error("org not found")]
    NotFound,
    #[error("requires the permission {0}")]
    Forbidden(Permission),
    #[error("blocked under impersonation")]
    Blocked,
    #[error("blocked under read-only impersonation")]
    ReadOnly,
}

/// An authenticated caller with the reason of the denial, as recorded by `permission.denied`.
#[derive(Debug)]
pub struct Denied {
    pub caller: Box<Caller>,
    pub denial: Denial,
}

/// Decision that a caller may run one operation in one scope now. Created only in this module.
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

/// The org of the caller's impersonation: its log contains what they do outside of any org.
#[must_use]
pub fn impersonated_org(actor: &Actor) -> Option<&OrgRef> {
    actor.caller()?.impersonation().map(|impersonation| &impersonation.org)
}

/// Grants an operation that requires no authentication.
#[must_use]
pub const fn authorize_anonymous(operation: &'static Operation) -> Grant<scope::Public> {
    Grant { operation, actor: Actor::Anonymous { email: None }, context: () }
}

/// Grants an operation to an operator at the command line, who has access to the database anyway.
/// Events name the command.
#[must_use]
pub const fn authorize_cli(
    operation: &'static Operation,
    command: &'static str,
) -> Grant<scope::Staff> {
    Grant { operation, actor: Actor::Cli { command }, context: () }
}

/// Grants an operation to Postern itself.
#[must_use]
pub const fn authorize_system(operation: &'static Operation) -> Grant<scope::Staff> {
    Grant { operation, actor: Actor::System, context: () }
}

/// A scope that authenticated callers can be authorized for.
pub trait Authorize: Scope + Sized {
    /// Authorizes the caller. `context`: the org of the request and their membership in it; `None`
    /// if the org does not exist or they do not belong to it.
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
        // `Blocked` is more helpful than `Forbidden`, which the missing effective tier would give.
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
    has_permission: impl FnOnce(Permission, &Caller) -> bool,
) -> Result<Grant<S>, Denied> {
    let denial = match operation.needs {
        Some(needed) if !has_permission(needed, &caller) => Some(Denial::Forbidden(needed)),
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
