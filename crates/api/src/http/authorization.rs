//! Authentication and authorization of a request, in one transaction.

use postern_app::impersonations;
use postern_domain::{
    actor::{Actor, Caller},
    clock::RequestContext,
    event::Source,
    operation::{Operation, Records},
    org_context::OrgContext,
    org_key::OrgKey,
    org_ref::OrgRef,
    policy::{self, AuthenticationError, Authorize, Denial, Denied},
    scope::{self, Scope, ScopeKind},
};
use postern_persistence::{
    pre_auth::{self, PreAuthTx},
    unit::{HasLog, Reader},
};
use tracing::{Span, field::display};
use utoipa::openapi::path::Parameter;

use super::{
    denial,
    idempotency::{self, Repeat},
    input::Input,
    path,
    problem::Problem,
    request_headers::authorization,
};
use crate::state::State;

/// A scope that a call can enter.
pub trait EnterScope: Scope + Sized {
    /// Database access of the call: a reader under a grant, or `()` without authentication.
    type Access: CallAccess<Self>;

    /// Parameters that authorization reads.
    #[must_use]
    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }
}

impl EnterScope for scope::Public {
    type Access = ();
}
impl EnterScope for scope::User {
    type Access = Reader<Self>;
}
impl EnterScope for scope::Org {
    type Access = Reader<Self>;

    fn parameters() -> Vec<Parameter> {
        vec![path::org_parameter()]
    }
}
impl EnterScope for scope::Staff {
    type Access = Reader<Self>;
}

/// Database access of a call in a scope.
pub trait CallAccess<S>: Sized {
    fn enter(
        operation: &'static Operation,
        state: &State,
        input: &Input,
        context: &RequestContext,
    ) -> impl Future<Output = Result<Self, Problem>>;

    /// Whether the request repeats an earlier one with the same idempotency key.
    fn repeat(
        &self,
        operation: &'static Operation,
        state: &State,
        input: &Input,
        context: &RequestContext,
    ) -> impl Future<Output = Result<Repeat, Problem>>;

    /// The actor, and the org of the log for its events.
    fn actor(&self) -> Option<(Actor, Option<OrgRef>)>;
}

impl CallAccess<scope::Public> for () {
    async fn enter(
        _: &'static Operation,
        _: &State,
        _: &Input,
        _: &RequestContext,
    ) -> Result<(), Problem> {
        Ok(())
    }

    async fn repeat(
        &self,
        _: &'static Operation,
        _: &State,
        _: &Input,
        _: &RequestContext,
    ) -> Result<Repeat, Problem> {
        Ok(Repeat::None)
    }

    fn actor(&self) -> Option<(Actor, Option<OrgRef>)> {
        None
    }
}

impl<S: Authorize + HasLog> CallAccess<S> for Reader<S> {
    async fn enter(
        operation: &'static Operation,
        state: &State,
        input: &Input,
        context: &RequestContext,
    ) -> Result<Self, Problem> {
        authorize(operation, state, input, context).await
    }

    async fn repeat(
        &self,
        operation: &'static Operation,
        state: &State,
        input: &Input,
        context: &RequestContext,
    ) -> Result<Repeat, Problem> {
        let caller = self.grant().actor().caller();
        idempotency::look_up(self.idempotency(), caller, operation, state, input, context).await
    }

    fn actor(&self) -> Option<(Actor, Option<OrgRef>)> {
        Some((self.grant().actor().clone(), S::log(self.grant())))
    }
}

/// Checks identity, org context, permission and impersonation, in this order. Requests under
/// impersonation and denials are recorded in their own transactions, so that they are kept whatever
/// follows.
async fn authorize<S: Authorize>(
    operation: &'static Operation,
    state: &State,
    input: &Input,
    context: &RequestContext,
) -> Result<Reader<S>, Problem> {
    let bearer = state.tokens.bearer(
        authorization(input.request.headers())?,
        *input.token_checked_at.get().unwrap_or(&context.now),
    )?;
    let org = (S::KIND == ScopeKind::Org)
        .then(|| OrgKey::parse(input.request.match_info().query(path::ORG)));
    let writes = matches!(operation.records, Records::Always(_) | Records::OnAnomaly(_));
    let mut recorded = bearer.impersonation.is_none();
    loop {
        let pre_auth = PreAuthTx::open(&state.store, writes).await?;
        let (identity, org_context) =
            pre_auth.find(&bearer, org.as_ref()).await?.ok_or(AuthenticationError::SessionEnded)?;
        let caller = match policy::authenticate(identity, context.now) {
            Ok(caller) => Box::new(caller),
            Err(error) => {
                pre_auth.end().await?;
                end_if_invalid(error, state, context).await?;
                return Err(error.into());
            }
        };
        let log = log_of(&caller, org.is_some(), org_context.as_ref());
        if !recorded {
            pre_auth.end().await?;
            let draft = denial::requested(operation.id, &input.request);
            pre_auth::record_in_own_tx(&state.store, draft, &Actor::Caller(caller), log, context)
                .await?;
            // Load everything again: the impersonation may have ended since.
            recorded = true;
            continue;
        }
        record_caller_in_span(&caller, org_context.as_ref());
        return match S::authorize(operation, caller, org_context) {
            Ok(grant) => Ok(pre_auth.authorized(grant, context.clone())),
            Err(denied) => {
                pre_auth.end().await?;
                Err(record_denial(denied, log, operation, state, input, context).await?)
            }
        };
    }
}

/// Ends an impersonation that became invalid through a change made outside the server. The event
/// names Postern as its actor and has no source, because the request did not cause the end.
async fn end_if_invalid(
    error: AuthenticationError,
    state: &State,
    context: &RequestContext,
) -> Result<(), Problem> {
    let AuthenticationError::ImpersonationInvalid { id, cause } = error else { return Ok(()) };
    tracing::warn!(impersonation = %id, %cause, "ending an impersonation that became invalid");
    let context = RequestContext { source: Source::default(), ..context.clone() };
    let grant = policy::authorize_system(&impersonations::END_INVALID);
    let work = PreAuthTx::open(&state.store, true).await?.authorized(grant, context).begin();
    Ok(impersonations::end_invalid(work, id, cause).await?)
}

/// Org of the log for the events of authorization. With an org in the path: that org if
/// the caller is a member and, under impersonation, bound to it; otherwise none, for the platform's
/// log. Without one: the impersonated org, or none.
fn log_of(caller: &Caller, in_org: bool, org_context: Option<&OrgContext>) -> Option<OrgRef> {
    let bound_org = caller.impersonation().map(|impersonation| impersonation.org.clone());
    match org_context {
        Some(org_context)
            if bound_org.as_ref().is_none_or(|bound| bound.id == org_context.org.id) =>
        {
            Some(org_context.org.reference())
        }
        _ if in_org => None,
        _ => bound_org,
    }
}

/// Records a denial, and returns its problem.
async fn record_denial(
    denied: Denied,
    log: Option<OrgRef>,
    operation: &'static Operation,
    state: &State,
    input: &Input,
    context: &RequestContext,
) -> Result<Problem, Problem> {
    let log = log.filter(|_| denied.denial != Denial::NotFound);
    let problem = Problem::from(denied.denial);
    let draft = denial::denied(operation.id, &input.request, problem.code());
    let actor = Actor::Caller(denied.caller);
    pre_auth::record_in_own_tx(&state.store, draft, &actor, log, context).await?;
    Ok(problem)
}

/// Adds the users and the org to the request's span, which is part of each of its log lines.
fn record_caller_in_span(caller: &Caller, org_context: Option<&OrgContext>) {
    let span = Span::current();
    span.record("user", display(caller.accountable().id));
    if caller.impersonation().is_some() {
        span.record("on_behalf_of", display(caller.effective().id));
    }
    if let Some(org_context) = org_context {
        span.record("org", display(org_context.org.id));
    }
}
