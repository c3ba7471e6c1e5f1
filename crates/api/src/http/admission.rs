//! Admission: who is calling, where, whether they may, and in whose name, in one transaction and in this order.

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

/// A scope as a call enters it.
pub trait Entry: Scope + Sized {
    /// What the call holds from then on: a reader under a grant, or nothing where nobody has to be known.
    type Held;

    fn enter(
        operation: &'static Operation,
        state: &State,
        input: &Input,
        context: &RequestContext,
    ) -> impl Future<Output = Result<Self::Held, Problem>>;

    fn repeat(
        held: &Self::Held,
        operation: &'static Operation,
        state: &State,
        input: &Input,
        context: &RequestContext,
    ) -> impl Future<Output = Result<Repeat, Problem>>;

    fn who(held: &Self::Held) -> Option<(Actor, Option<OrgRef>)>;
}

impl Entry for scope::Public {
    type Held = ();

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
        $(impl Entry for $scope {
            type Held = Reader<Self>;

            async fn enter(operation: &'static Operation, state: &State, input: &Input, context: &RequestContext) -> Result<Reader<Self>, Problem> {
                authorize(operation, state, input, context).await
            }

            async fn repeat(
                held: &Reader<Self>,
                operation: &'static Operation,
                state: &State,
                input: &Input,
                context: &RequestContext,
            ) -> Result<Repeat, Problem> {
                let caller = held.grant().actor().caller();
                idempotency::look_up(held.idempotency(), caller, operation, state, input, context).await
            }

            fn who(held: &Reader<Self>) -> Option<(Actor, Option<OrgRef>)> {
                Some((held.grant().actor().clone(), <$scope>::log(held.grant())))
            }
        })+
    };
}

entered_by_the_known!(scope::User, scope::Org, scope::Staff);

/// Who → where → may they → in whose name. Requests under another's name and denials are recorded on their own, so that
/// they stand whatever comes after.
async fn authorize<S: Authorize>(
    operation: &'static Operation,
    state: &State,
    input: &Input,
    context: &RequestContext,
) -> Result<Reader<S>, Problem> {
    let bearer = state
        .tokens
        .bearer(input.request.headers(), *input.good_at.get().unwrap_or(&context.now))?;
    let org =
        (S::KIND == ScopeKind::Org).then(|| OrgKey::parse(input.request.match_info().query("org")));
    let writes = matches!(operation.records, Records::Always(_) | Records::OnAnomaly(_));
    let mut on_record = bearer.impersonation.is_none();
    loop {
        let pre_auth = PreAuthTx::open(&state.store, writes).await?;
        let (identity, org_context) =
            pre_auth.find(&bearer, org.as_ref()).await?.ok_or(AuthenticationError::SessionEnded)?;
        let caller = Box::new(policy::authenticate(identity, context.now)?);
        // In whose log: the org's where the caller stands in it; for a guise the org it is bound to, but for requests
        // about another org the platform's, since they are none of its business.
        let home = caller.impersonation().map(|impersonation| impersonation.org.clone());
        let log = match &org_context {
            Some(org_context) if home.as_ref().is_none_or(|home| home.id == org_context.org.id) => {
                Some(org_context.org.reference())
            }
            _ if org.is_some() => None,
            _ => home,
        };
        if !on_record {
            pre_auth.end().await?;
            let draft = denial::requested(operation.id, &input.request);
            pre_auth::record_in_own_tx(&state.store, draft, &Actor::Caller(caller), log, context)
                .await?;
            // Then from the start: it may have been ended meanwhile.
            on_record = true;
            continue;
        }
        record_caller_in_span(&caller, org_context.as_ref());
        return match S::authorize(operation, caller, org_context) {
            Ok(grant) => Ok(pre_auth.authorized(grant, context.clone())),
            Err(refused) => {
                pre_auth.end().await?;
                let log = log.filter(|_| refused.denial != Denial::NotFound);
                let problem = Problem::from(refused.denial);
                let draft = denial::denied(operation.id, &input.request, problem.code());
                pre_auth::record_in_own_tx(
                    &state.store,
                    draft,
                    &Actor::Caller(refused.caller),
                    log,
                    context,
                )
                .await?;
                Err(problem)
            }
        };
    }
}

/// Who and where, for every line that the request leaves in the log.
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
