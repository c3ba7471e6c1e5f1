//! Authentication and authorization of a request, in one transaction.

use postern_domain::{
    actor::{Actor, Caller},
    clock::RequestContext,
    member::OrgContext,
    operation::{Operation, Records},
    org::OrgRef,
    policy::{self, AuthenticationError, Authorize, Denial},
    scope::{self, Scope, ScopeKind},
};
use postern_persistence::{
    pre_auth::{self, OrgKey, PreAuthTx},
    unit::{HasLog, Reader},
};
use tracing::{Span, field::display};

use super::{
    denial,
    idempotency::{self, Repeat},
    input::Input,
    problem::Problem,
};
use crate::state::State;

/// A scope that a call can enter.
pub trait EnterScope: Scope + Sized {
    /// Result of entering: a reader under a grant, or nothing in the public scope.
    type Session;

    fn enter(
        operation: &'static Operation,
        state: &State,
        input: &Input,
        context: &RequestContext,
    ) -> impl Future<Output = Result<Self::Session, Problem>>;

    fn repeat(
        held: &Self::Session,
        operation: &'static Operation,
        state: &State,
        input: &Input,
        context: &RequestContext,
    ) -> impl Future<Output = Result<Repeat, Problem>>;

    fn who(held: &Self::Session) -> Option<(Actor, Option<OrgRef>)>;
}

impl EnterScope for scope::Public {
    type Session = ();

    async fn enter(
        _: &'static Operation,
        _: &State,
        _: &Input,
        _: &RequestContext,
    ) -> Result<(), Problem> {
        Ok(())
    }

    async fn repeat(
        (): &(),
        _: &'static Operation,
        _: &State,
        _: &Input,
        _: &RequestContext,
    ) -> Result<Repeat, Problem> {
        Ok(Repeat::None)
    }

    fn who((): &()) -> Option<(Actor, Option<OrgRef>)> {
        None
    }
}

macro_rules! entered_by_the_known {
    ($($scope:ty),+) => {
        $(impl EnterScope for $scope {
            type Session = Reader<Self>;

            async fn enter(
                operation: &'static Operation,
                state: &State,
                input: &Input,
                context: &RequestContext,
            ) -> Result<Reader<Self>, Problem> {
                authorize(operation, state, input, context).await
            }

            async fn repeat(
                held: &Reader<Self>,
                operation: &'static Operation,
                state: &State,
                input: &Input,
                context: &RequestContext,
            ) -> Result<Repeat, Problem> {
                let (store, caller) = (held.idempotency(), held.grant().actor().caller());
                idempotency::look_up(store, caller, operation, state, input, context).await
            }

            fn who(held: &Reader<Self>) -> Option<(Actor, Option<OrgRef>)> {
                Some((held.grant().actor().clone(), <$scope>::log(held.grant())))
            }
        })+
    };
}

entered_by_the_known!(scope::User, scope::Org, scope::Staff);

/// Checks identity, org context, permission and impersonation, in this order. Requests under
/// impersonation and denials are recorded in their own transactions, so that they are kept whatever
/// follows.
async fn authorize<S: Authorize>(
    operation: &'static Operation,
    state: &State,
    input: &Input,
    context: &RequestContext,
) -> Result<Reader<S>, Problem> {
    let bearer = state
        .tokens
        .bearer(input.request.headers(), *input.token_checked_at.get().unwrap_or(&context.now))?;
    let org =
        (S::KIND == ScopeKind::Org).then(|| OrgKey::parse(input.request.match_info().query("org")));
    let writes = matches!(operation.records, Records::Always(_) | Records::OnAnomaly(_));
    let mut recorded = bearer.impersonation.is_none();
    loop {
        let pre_auth = PreAuthTx::open(&state.store, writes).await?;
        let (identity, org_context) =
            pre_auth.find(&bearer, org.as_ref()).await?.ok_or(AuthenticationError::SessionEnded)?;
        let caller = Box::new(policy::authenticate(identity, context.now)?);
        // The log for these events. With an org in the path: the org's log if the caller is a
        // member and, under impersonation, bound to it; otherwise the platform's log. Without one:
        // the log of the impersonated org, or the platform's.
        let bound_org = caller.impersonation().map(|impersonation| impersonation.org.clone());
        let log = match &org_context {
            Some(org_context)
                if bound_org.as_ref().is_none_or(|bound| bound.id == org_context.org.id) =>
            {
                Some(org_context.org.reference())
            }
            _ if org.is_some() => None,
            _ => bound_org,
        };
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
                let log = log.filter(|_| denied.denial != Denial::NotFound);
                let problem = Problem::from(denied.denial);
                let draft = denial::denied(operation.id, &input.request, problem.code());
                pre_auth::record_in_own_tx(
                    &state.store,
                    draft,
                    &Actor::Caller(denied.caller),
                    log,
                    context,
                )
                .await?;
                Err(problem)
            }
        };
    }
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
