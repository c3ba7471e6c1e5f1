//! [`Call`]: the first parameter of every handler, and the only access to the store. Creating one
//! authenticates the caller, loads the org context and authorizes the operation, in one
//! transaction.

use std::{marker::PhantomData, ops::Deref, rc::Rc, sync::Arc};

use postern_domain::{
    actor::Caller, clock::RequestContext, event_draft::EventDraft, permission::Permission, policy,
    scope,
};
use postern_persistence::{
    pre_auth::{self, PreAuthTx},
    repository::page::{Page, PageRequest, PageStart},
    unit::{HasLog, Reader},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    authorization::{CallAccess, EnterScope},
    code::Code,
    concurrency::Permit,
    denial::DenialContext,
    idempotency::{Pending, Repeat},
    input::Input,
    problem::Problem,
    query::Paging,
    reply::{Listed, Reply, ok},
    request_info::RequestInfo,
    unit::Unit,
};
use crate::{
    operations::{Op, Recording},
    state::State,
};

/// An authorized call of the operation `O`.
pub struct Call<O: Op>
where
    O::Scope: EnterScope,
{
    state: Arc<State>,
    input: Rc<Input>,
    context: RequestContext,
    access: <O::Scope as EnterScope>::Access,
    pending: Option<Pending>,
}

/// A call that is resumed repeatedly during a long response. Each resume authenticates and
/// authorizes the caller again, and fails if the caller has lost access.
pub struct Reentrant<O> {
    state: Arc<State>,
    input: Rc<Input>,
    of: PhantomData<fn() -> O>,
}

impl<O: Op> Reentrant<O>
where
    O::Scope: EnterScope,
{
    pub async fn reenter(&self) -> Result<Call<O>, Problem> {
        match Call::authorize(Arc::clone(&self.state), Rc::clone(&self.input)).await? {
            Authorized::Call(call) => Ok(call),
            Authorized::Replay(_) => Err(Problem::new(Code::IdempotencyInFlight)),
        }
    }
}

/// Outcome of authorization.
pub enum Authorized<O: Op>
where
    O::Scope: EnterScope,
{
    Call(Call<O>),
    /// Stored response of an earlier request with the same idempotency key.
    Replay(Reply<()>),
}

impl<O: Op> Call<O>
where
    O::Scope: EnterScope,
{
    pub(super) async fn authorize(
        state: Arc<State>,
        input: Rc<Input>,
    ) -> Result<Authorized<O>, Problem> {
        let context = RequestContext {
            now: state.clock.now(),
            ids: Arc::clone(&state.ids),
            source: RequestInfo::of(&input.request).source(),
        };
        let access =
            <O::Scope as EnterScope>::Access::enter(O::ROW, &state, &input, &context).await?;
        let repeat = access.repeat(O::ROW, &state, &input, &context).await?;
        let pending = match repeat {
            Repeat::None => None,
            Repeat::First(pending) => Some(pending),
            Repeat::Replay(reply) => return Ok(Authorized::Replay(reply)),
        };
        Ok(Authorized::Call(Self { state, input, context, access, pending }))
    }

    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The shared state, for tasks that outlive the call.
    #[must_use]
    pub const fn shared(&self) -> &Arc<State> {
        &self.state
    }

    #[must_use]
    pub const fn context(&self) -> &RequestContext {
        &self.context
    }

    /// Data for the denial event, in case the handler denies the call. None in the public scope.
    pub(super) fn denial(&self) -> Option<DenialContext> {
        let (actor, org) = self.access.actor()?;
        let (state, input, context) =
            (Arc::clone(&self.state), Rc::clone(&self.input), self.context.clone());
        Some(DenialContext { operation: O::ROW, actor, org, state, input, context })
    }
}

/// A call of an authenticated caller reads under its grant.
impl<O: Op> Deref for Call<O>
where
    O::Scope: EnterScope<Access = Reader<O::Scope>>,
{
    type Target = Reader<O::Scope>;

    fn deref(&self) -> &Reader<O::Scope> {
        &self.access
    }
}

impl<O: Op> Call<O>
where
    O::Scope: EnterScope<Access = Reader<O::Scope>> + HasLog,
{
    /// Begins the unit of work. Only for operations that record something.
    pub fn begin(self) -> Unit<O::Scope>
    where
        O: Recording,
    {
        Unit { work: self.access.begin(), state: self.state, pending: self.pending }
    }

    /// Ends the transaction, runs `slow`, and authorizes the call again. Only for operations that
    /// are blocked under impersonation: others would record the request twice.
    pub async fn release_during<T>(
        self,
        slow: impl Future<Output = Result<T, Problem>>,
    ) -> Result<(Self, T), Problem> {
        let Self { state, input, context: _, access, pending: _ } = self;
        access.end().await?;
        let output = slow.await?;
        match Self::authorize(state, input).await? {
            Authorized::Call(call) => Ok((call, output)),
            // A concurrent request with the same idempotency key was committed first.
            Authorized::Replay(_) => Err(Problem::new(Code::IdempotencyInFlight)),
        }
    }

    /// Acquires a permit for a long response: a stream, an export or a text search.
    pub fn acquire_permit(&self) -> Result<Permit, Problem> {
        let caller = self.access.grant().actor().caller().expect("an HTTP call has a caller");
        self.state
            .stream_limiter
            .acquire(caller.accountable().id, O::Scope::log(self.access.grant()).map(|org| org.id))
    }

    /// Ends the transaction of the call.
    pub async fn release(self) -> Result<(), Problem> {
        Ok(self.access.end().await?)
    }

    /// A handle that can resume the call any number of times. Only for operations that are blocked
    /// under impersonation: others would record each resume.
    pub fn reentrant(&self) -> Reentrant<O> {
        Reentrant { state: Arc::clone(&self.state), input: Rc::clone(&self.input), of: PhantomData }
    }

    /// Like [`Self::reentrant`], but accepts the access token after it has expired: a download can
    /// take longer. Everything else about the caller is checked at each resume.
    pub fn reenter_after_token_expiry(&self) -> Reentrant<O> {
        self.input.token_checked_at.get_or_init(|| self.context.now);
        self.reentrant()
    }

    /// Commits one event in its own transaction, so that it is kept if the call fails.
    pub async fn record_in_own_tx(self, draft: EventDraft) -> Result<(), Problem> {
        let (actor, log) =
            (self.access.grant().actor().clone(), O::Scope::log(self.access.grant()));
        self.access.end().await?;
        Ok(pre_auth::record_in_own_tx(&self.state.store, draft, &actor, log, &self.context).await?)
    }

    /// The requested page. Fails if its cursor was not issued for this list and this caller.
    pub fn page(&self, paging: &Paging) -> Result<PageRequest, Problem> {
        let from = match paging.cursor.as_deref() {
            Some(cursor) => self.state.cursors.verify(cursor, &self.list_key(paging))?,
            None => PageStart::Newest,
        };
        Ok(PageRequest { from, limit: paging.limit })
    }

    /// Response for a page of rows, with links to the adjacent pages.
    pub fn listed<T: Serialize>(&self, paging: &Paging, page: Page<T>) -> Reply<Listed<T>> {
        let signed = |from: Option<PageStart>| {
            from.map(|from| self.state.cursors.sign(from, &self.list_key(paging)))
        };
        let listed = Listed {
            data: page.rows,
            next_cursor: signed(page.older),
            prev_cursor: signed(page.newer),
        };
        let request = &self.input.request;
        let pairs = form_urlencoded::parse(request.query_string().as_bytes())
            .filter(|(name, _)| name != "cursor");
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let query = if query.is_empty() { query } else { query + "&" };
        let links = [("next", &listed.next_cursor), ("prev", &listed.prev_cursor)]
            .into_iter()
            .filter_map(|(relation, cursor)| {
                Some(format!(
                    "<{}?{query}cursor={}>; rel=\"{relation}\"",
                    request.path(),
                    cursor.as_deref()?
                ))
            });
        let links: Vec<String> = links.collect();
        ok(listed).links(links)
    }

    /// Identity of a list that a cursor is bound to: operation, org, effective user and filters.
    fn list_key(&self, paging: &Paging) -> String {
        let effective = self.grant().actor().caller().map(|caller| caller.effective().id.uuid());
        let org = O::Scope::log(self.grant()).map(|org| org.id.uuid());
        format!("{} {:?} {:?} {}", O::ROW.id, org, effective.unwrap_or(Uuid::nil()), paging.filters)
    }
}

impl<O: Op<Scope = scope::Staff>> Call<O> {
    /// The caller. Only the command line has none.
    pub fn staff_caller(&self) -> &Caller {
        self.access.caller().expect("an HTTP call has a caller")
    }

    /// Whether the caller also has a permission beyond the one that the operation requires.
    pub fn has_permission(&self, wider: Permission) -> bool {
        self.staff_caller().effective_tier().is_some_and(|tier| wider.granted_to_tier(tier))
    }
}

impl<O: Op<Scope = scope::Public>> Call<O> {
    #[must_use]
    pub fn request_info(&self) -> Rc<RequestInfo> {
        RequestInfo::of(&self.input.request)
    }

    /// A reader for an unauthenticated caller, such as at sign-in.
    pub async fn open(&self) -> Result<Reader<scope::Public>, Problem> {
        self.enter(false).await
    }

    /// A unit of work for an unauthenticated caller.
    pub async fn open_to_write(&self) -> Result<Unit<scope::Public>, Problem>
    where
        O: Recording,
    {
        Ok(Unit {
            work: self.enter(true).await?.begin(),
            state: Arc::clone(&self.state),
            pending: None,
        })
    }

    async fn enter(&self, writes: bool) -> Result<Reader<scope::Public>, Problem> {
        let pre_auth = PreAuthTx::open(&self.state.store, writes).await?;
        Ok(pre_auth.authorized(policy::authorize_anonymous(O::ROW), self.context.clone()))
    }
}
