//! The first parameter of every handler, and the only way to the store: a [`Call`] is made by finding out, in one
//! transaction, who is calling, where, whether they may, and in whose name.

use std::{marker::PhantomData, ops::Deref, rc::Rc, sync::Arc};

use postern_domain::{
    actor::Caller, clock::RequestContext, event::EventDraft, permission::Permission, policy, scope,
};
use postern_persistence::{
    pre_auth::{self, PreAuthTx},
    repository::page::{Page, PageRequest, PageStart},
    unit::{HasLog, Reader},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Listed, Paging, Problem, Reply, RequestInfo, Room, Unit,
    admission::Entry,
    code::Code,
    denial::DenialContext,
    idempotency::{Pending, Repeat},
    input::Input,
    ok,
};
use crate::{
    operations::{Op, Recording},
    state::State,
};

/// A call of the operation `O`, admitted.
pub struct Call<O: Op>
where
    O::Scope: Entry,
{
    state: Arc<State>,
    input: Rc<Input>,
    context: RequestContext,
    held: <O::Scope as Entry>::Held,
    pending: Option<Pending>,
}

/// A call that comes back again and again for something long, and is admitted each time anew: who may no longer, gets no further.
pub struct Paused<O> {
    state: Arc<State>,
    input: Rc<Input>,
    of: PhantomData<fn() -> O>,
}

impl<O: Op> Paused<O>
where
    O::Scope: Entry,
{
    pub async fn resume(&self) -> Result<Call<O>, Problem> {
        match Call::authorize(Arc::clone(&self.state), Rc::clone(&self.input)).await? {
            Authorized::Call(call) => Ok(call),
            Authorized::Replay(_) => Err(Problem::new(Code::IdempotencyInFlight)),
        }
    }
}

/// What admission came to.
pub enum Authorized<O: Op>
where
    O::Scope: Entry,
{
    Call(Call<O>),
    /// The request is a repeat, and has been answered before.
    Replay(Reply<()>),
}

impl<O: Op> Call<O>
where
    O::Scope: Entry,
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
        let held = O::Scope::enter(O::ROW, &state, &input, &context).await?;
        let repeat = O::Scope::repeat(&held, O::ROW, &state, &input, &context).await?;
        let pending = match repeat {
            Repeat::None => None,
            Repeat::First(pending) => Some(pending),
            Repeat::Replay(reply) => return Ok(Authorized::Replay(reply)),
        };
        Ok(Authorized::Call(Self { state, input, context, held, pending }))
    }

    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The same for something that outlives the call.
    #[must_use]
    pub const fn shared(&self) -> &Arc<State> {
        &self.state
    }

    #[must_use]
    pub const fn context(&self) -> &RequestContext {
        &self.context
    }

    /// What to record if the handler answers 403.
    pub(super) fn denial(&self) -> Option<DenialContext> {
        let (actor, org) = O::Scope::who(&self.held)?;
        let (state, input, context) =
            (Arc::clone(&self.state), Rc::clone(&self.input), self.context.clone());
        Some(DenialContext { operation: O::ROW, actor, org, state, input, context })
    }
}

/// A call of somebody known reads under its grant.
impl<O: Op> Deref for Call<O>
where
    O::Scope: Entry<Held = Reader<O::Scope>>,
{
    type Target = Reader<O::Scope>;

    fn deref(&self) -> &Reader<O::Scope> {
        &self.held
    }
}

impl<O: Op> Call<O>
where
    O::Scope: Entry<Held = Reader<O::Scope>> + HasLog,
{
    /// Begins the unit of work: only for operations that record something.
    pub fn begin(self) -> Unit<O::Scope>
    where
        O: Recording,
    {
        Unit { work: self.held.begin(), state: self.state, pending: self.pending }
    }

    /// Leaves the transaction for something slow, and comes back admitted anew. Under a guise the request would be recorded
    /// once more, so this is for what is blocked there.
    pub async fn meanwhile<T>(
        self,
        slow: impl Future<Output = Result<T, Problem>>,
    ) -> Result<(Self, T), Problem> {
        let Self { state, input, context: _, held, pending: _ } = self;
        held.end().await?;
        let done = slow.await?;
        match Self::authorize(state, input).await? {
            Authorized::Call(call) => Ok((call, done)),
            // Somebody sent the same request twice, and the other one got through meanwhile.
            Authorized::Replay(_) => Err(Problem::new(Code::IdempotencyInFlight)),
        }
    }

    pub fn held(&self) -> &Reader<O::Scope> {
        &self.held
    }

    /// Room for an answer that lasts.
    pub fn room(&self) -> Result<Room, Problem> {
        let caller = self.held.grant().actor().caller().expect("only the command line is nobody");
        self.state
            .rooms
            .enter(caller.accountable().id, O::Scope::log(self.held.grant()).map(|org| org.id))
    }

    /// Ends what was begun for the call.
    pub async fn leave(self) -> Result<(), Problem> {
        Ok(self.held.end().await?)
    }

    /// For something long: to be resumed as often as it takes. Under a guise each time would be recorded, so this is for what is blocked there.
    pub fn pause(&self) -> Paused<O> {
        Paused { state: Arc::clone(&self.state), input: Rc::clone(&self.input), of: PhantomData }
    }

    /// The same for what goes on when the token is no longer good: a download takes as long as it takes. Everything else about the caller is looked
    /// at each time.
    pub fn pause_beyond_token(&self) -> Paused<O> {
        self.input.good_at.get_or_init(|| self.context.now);
        self.pause()
    }

    /// Commits one event by itself, for what stands although the call comes to nothing.
    pub async fn record_in_own_tx(self, draft: EventDraft) -> Result<(), Problem> {
        let (actor, log) = (self.held.grant().actor().clone(), O::Scope::log(self.held.grant()));
        self.held.end().await?;
        Ok(pre_auth::record_in_own_tx(&self.state.store, draft, &actor, log, &self.context).await?)
    }

    /// The page asked for, if its cursor was given out for this list to this caller.
    pub fn page(&self, paging: &Paging) -> Result<PageRequest, Problem> {
        let from = match paging.cursor.as_deref() {
            Some(cursor) => self.state.cursors.verify(cursor, &self.list_key(paging))?,
            None => PageStart::Newest,
        };
        Ok(PageRequest { from, limit: paging.limit })
    }

    /// A page of rows as the answer shows it, with links to its neighbours.
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
        let others = form_urlencoded::parse(request.query_string().as_bytes())
            .filter(|(name, _)| name != "cursor");
        let others = form_urlencoded::Serializer::new(String::new()).extend_pairs(others).finish();
        let others = if others.is_empty() { others } else { others + "&" };
        let links = [("next", &listed.next_cursor), ("prev", &listed.prev_cursor)]
            .into_iter()
            .filter_map(|(relation, cursor)| {
                Some(format!(
                    "<{}?{others}cursor={}>; rel=\"{relation}\"",
                    request.path(),
                    cursor.as_deref()?
                ))
            });
        let links: Vec<String> = links.collect();
        ok(listed).links(links)
    }

    /// What a cursor belongs to: the operation, the place, the caller and the filters.
    fn list_key(&self, paging: &Paging) -> String {
        let effective = self.grant().actor().caller().map(|caller| caller.effective().id.uuid());
        let org = O::Scope::log(self.grant()).map(|org| org.id.uuid());
        format!("{} {:?} {:?} {}", O::ROW.id, org, effective.unwrap_or(Uuid::nil()), paging.filters)
    }
}

impl<O: Op<Scope = scope::Staff>> Call<O> {
    /// The caller, who is always somebody where a request comes from.
    pub fn staff_caller(&self) -> &Caller {
        self.held.caller().expect("only the command line is nobody")
    }

    /// May the caller do more than the operation needs: see or end what is others'?
    pub fn has_permission(&self, wider: Permission) -> bool {
        self.staff_caller().effective_tier().is_some_and(|tier| wider.granted_to_tier(tier))
    }
}

impl<O: Op<Scope = scope::Public>> Call<O> {
    #[must_use]
    pub fn request_info(&self) -> Rc<RequestInfo> {
        RequestInfo::of(&self.input.request)
    }

    /// A reader for what anybody may set in motion: signing in.
    pub async fn open(&self) -> Result<Reader<scope::Public>, Problem> {
        self.enter(false).await
    }

    /// A unit of work of the same kind.
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

    /// Anything of the request that only the operation understands.
    #[must_use]
    pub fn path(&self, name: &str) -> &str {
        self.input.request.match_info().query(name)
    }
}
