//! The first parameter of every handler, and the only way to the store: a [`Call`] is made by finding out, in one
//! transaction, who is calling, where, whether they may, and in whose name.

use std::{
    ops::{Deref, DerefMut},
    rc::Rc,
    sync::Arc,
};

use postern_domain::{
    actor::{Actor, Caller},
    clock::Stamp,
    event::Act,
    member::Place,
    operation::{InOrg, Operation, Personal, Public, Records, Scope, ScopeKind, Staff},
    org::OrgRef,
    permission::Permission,
    policy::{self, Admits, Denial, Unrecognised},
};
use postern_persistence::{
    gate::{self, Gate, OrgKey},
    repository::{
        chores::Chore,
        page::{Page, PageRequest},
    },
    unit::{HasLog, Reader, Work},
};
use serde::Serialize;
use tracing::{Span, field::display};
use uuid::Uuid;

use super::{
    Answer, Facts, Listed, Paging, Problem, Reply,
    endpoint::{self, Input},
    idempotency::{self, Pending, Repeat},
    problem::Code,
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
    stamp: Stamp,
    held: <O::Scope as Entry>::Held,
    pending: Option<Pending>,
}

/// What admission came to.
pub enum Admitted<O: Op>
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
    pub(super) async fn admit(state: Arc<State>, input: Rc<Input>) -> Result<Admitted<O>, Problem> {
        let stamp = Stamp { now: state.clock.now(), ids: Arc::clone(&state.ids), source: Facts::of(&input.request).source() };
        let held = O::Scope::enter(O::ROW, &state, &input, &stamp).await?;
        let repeat = O::Scope::repeat(&held, O::ROW, &state, &input, &stamp).await?;
        let pending = match repeat {
            Repeat::None => None,
            Repeat::First(pending) => Some(pending),
            Repeat::Answered(reply) => return Ok(Admitted::Replay(reply)),
        };
        Ok(Admitted::Call(Self { state, input, stamp, held, pending }))
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
    pub const fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// What to record if the handler answers 403.
    pub(super) fn denial(&self) -> Option<DenialFacts> {
        let (actor, org) = O::Scope::who(&self.held)?;
        let (state, input, stamp) = (Arc::clone(&self.state), Rc::clone(&self.input), self.stamp.clone());
        Some(DenialFacts { operation: O::ROW, actor, org, state, input, stamp })
    }
}

/// Who was denied what, kept aside while the handler runs.
pub struct DenialFacts {
    operation: &'static Operation,
    actor: Actor,
    org: Option<OrgRef>,
    state: Arc<State>,
    input: Rc<Input>,
    stamp: Stamp,
}

impl DenialFacts {
    pub async fn record(self, code: Code) -> Result<(), Problem> {
        let act = endpoint::denied(self.operation.id, &self.input.request, code);
        Ok(gate::record_alone(&self.state.store, act, &self.actor, self.org, &self.stamp).await?)
    }
}

/// A scope as a call enters it.
pub trait Entry: Scope + Sized {
    /// What the call holds from then on: a reader under a grant, or nothing where nobody has to be known.
    type Held;

    fn enter(
        operation: &'static Operation,
        state: &State,
        input: &Input,
        stamp: &Stamp,
    ) -> impl Future<Output = Result<Self::Held, Problem>>;

    fn repeat(
        held: &Self::Held,
        operation: &'static Operation,
        state: &State,
        input: &Input,
        stamp: &Stamp,
    ) -> impl Future<Output = Result<Repeat, Problem>>;

    fn who(held: &Self::Held) -> Option<(Actor, Option<OrgRef>)>;
}

impl Entry for Public {
    type Held = ();

    async fn enter(_: &'static Operation, _: &State, _: &Input, _: &Stamp) -> Result<(), Problem> {
        Ok(())
    }

    async fn repeat((): &(), _: &'static Operation, _: &State, _: &Input, _: &Stamp) -> Result<Repeat, Problem> {
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

            async fn enter(operation: &'static Operation, state: &State, input: &Input, stamp: &Stamp) -> Result<Reader<Self>, Problem> {
                admit(operation, state, input, stamp).await
            }

            async fn repeat(
                held: &Reader<Self>,
                operation: &'static Operation,
                state: &State,
                input: &Input,
                stamp: &Stamp,
            ) -> Result<Repeat, Problem> {
                let caller = held.grant().actor().caller();
                idempotency::look_up(held.answers(), caller, operation, state, input, stamp).await
            }

            fn who(held: &Reader<Self>) -> Option<(Actor, Option<OrgRef>)> {
                Some((held.grant().actor().clone(), <$scope>::log(held.grant())))
            }
        })+
    };
}

entered_by_the_known!(Personal, InOrg, Staff);

/// Who → where → may they → in whose name. Requests under another's name and denials are recorded on their own, so that
/// they stand whatever comes after.
async fn admit<S: Admits>(operation: &'static Operation, state: &State, input: &Input, stamp: &Stamp) -> Result<Reader<S>, Problem> {
    let bearer = state.tokens.bearer(input.request.headers(), stamp.now)?;
    let org = (S::KIND == ScopeKind::InOrg).then(|| OrgKey::parse(input.request.match_info().query("org")));
    let writes = !matches!(operation.records, Records::Nothing);
    let mut on_record = bearer.guise.is_none();
    loop {
        let gate = Gate::open(&state.store, writes).await?;
        let (presented, place) = gate.find(&bearer, org.as_ref()).await?.ok_or(Unrecognised::SessionEnded)?;
        let caller = Box::new(policy::recognise(presented, stamp.now)?);
        // In whose log: the org's where the caller stands in it; for a guise the org it is bound to, but for requests
        // about another org the platform's, since they are none of its business.
        let home = caller.guise().map(|guise| guise.org.clone());
        let log = match &place {
            Some(place) if home.as_ref().is_none_or(|home| home.id == place.org.id) => Some(place.org.reference()),
            _ if org.is_some() => None,
            _ => home,
        };
        if !on_record {
            gate.end().await?;
            let act = endpoint::requested(operation.id, &input.request);
            gate::record_alone(&state.store, act, &Actor::Caller(caller), log, stamp).await?;
            // Then from the start: it may have been ended meanwhile.
            on_record = true;
            continue;
        }
        tell_the_log(&caller, place.as_ref());
        return match S::admit(operation, caller, place) {
            Ok(grant) => Ok(gate.admit(grant, stamp.clone())),
            Err(refused) => {
                gate.end().await?;
                let log = log.filter(|_| refused.denial != Denial::NotFound);
                let problem = Problem::from(refused.denial);
                let act = endpoint::denied(operation.id, &input.request, problem.code());
                gate::record_alone(&state.store, act, &Actor::Caller(refused.caller), log, stamp).await?;
                Err(problem)
            }
        };
    }
}

/// Who and where, for every line that the request leaves in the log.
fn tell_the_log(caller: &Caller, place: Option<&Place>) {
    let span = Span::current();
    span.record("user", display(caller.accountable().id));
    if caller.guise().is_some() {
        span.record("on_behalf_of", display(caller.effective().id));
    }
    if let Some(place) = place {
        span.record("org", display(place.org.id));
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
    pub async fn meanwhile<T>(self, slow: impl Future<Output = Result<T, Problem>>) -> Result<(Self, T), Problem> {
        let Self { state, input, stamp: _, held, pending: _ } = self;
        held.end().await?;
        let done = slow.await?;
        match Self::admit(state, input).await? {
            Admitted::Call(call) => Ok((call, done)),
            // Somebody sent the same request twice, and the other one got through meanwhile.
            Admitted::Replay(_) => Err(Problem::new(Code::IdempotencyInFlight)),
        }
    }

    /// Commits one event by itself, for what stands although the call comes to nothing.
    pub async fn record_alone(self, act: Act) -> Result<(), Problem> {
        let (actor, log) = (self.held.grant().actor().clone(), O::Scope::log(self.held.grant()));
        self.held.end().await?;
        Ok(gate::record_alone(&self.state.store, act, &actor, log, &self.stamp).await?)
    }

    /// The page asked for, if its cursor was given out for this list to this caller.
    pub fn page(&self, paging: &Paging) -> Result<PageRequest, Problem> {
        let after = paging.cursor.as_deref().map(|cursor| self.state.cursors.open(cursor, &self.list_key(paging))).transpose()?;
        Ok(PageRequest { after, limit: paging.limit })
    }

    /// A page of rows as the answer shows it.
    pub fn listed<T>(&self, paging: &Paging, page: Page<T>) -> Listed<T> {
        Listed { data: page.rows, next_cursor: page.next.map(|last| self.state.cursors.seal(last, &self.list_key(paging))) }
    }

    /// What a cursor belongs to: the operation, the place, the caller and the filters.
    fn list_key(&self, paging: &Paging) -> String {
        let effective = self.grant().actor().caller().map(|caller| caller.effective().id.uuid());
        let place = O::Scope::log(self.grant()).map(|org| org.id.uuid());
        format!("{} {:?} {:?} {}", O::ROW.id, place, effective.unwrap_or(Uuid::nil()), paging.filters)
    }
}

impl<O: Op<Scope = Staff>> Call<O> {
    /// The caller, who is always somebody where a request comes from.
    pub fn staffer(&self) -> &Caller {
        self.held.caller().expect("only the command line is nobody")
    }

    /// May the caller do more than the operation needs: see or end what is others'?
    pub fn also_may(&self, wider: Permission) -> bool {
        self.staffer().effective_tier().is_some_and(|tier| wider.is_of_tier(tier))
    }
}

impl<O: Op<Scope = Public>> Call<O> {
    #[must_use]
    pub fn facts(&self) -> Rc<Facts> {
        Facts::of(&self.input.request)
    }

    /// A reader for what anybody may set in motion: signing in.
    pub async fn open(&self) -> Result<Reader<Public>, Problem> {
        self.enter(false).await
    }

    /// A unit of work of the same kind.
    pub async fn open_to_write(&self) -> Result<Unit<Public>, Problem>
    where
        O: Recording,
    {
        Ok(Unit { work: self.enter(true).await?.begin(), state: Arc::clone(&self.state), pending: None })
    }

    async fn enter(&self, writes: bool) -> Result<Reader<Public>, Problem> {
        let gate = Gate::open(&self.state.store, writes).await?;
        Ok(gate.admit(policy::admit_anyone(O::ROW), self.stamp.clone()))
    }

    /// Anything of the request that only the operation understands.
    #[must_use]
    pub fn path(&self, name: &str) -> &str {
        self.input.request.match_info().query(name)
    }
}

/// A unit of work with the answer it is going to give: the answer to a request that may be repeated is committed with it.
#[must_use = "a unit of work that is not committed is rolled back"]
pub struct Unit<S: Scope> {
    work: Work<S>,
    state: Arc<State>,
    pending: Option<Pending>,
}

impl<S: Scope> Deref for Unit<S> {
    type Target = Work<S>;

    fn deref(&self) -> &Work<S> {
        &self.work
    }
}

impl<S: Scope> DerefMut for Unit<S> {
    fn deref_mut(&mut self) -> &mut Work<S> {
        &mut self.work
    }
}

impl<S: HasLog> Unit<S> {
    /// Makes it so, and gives the answer.
    pub async fn commit<T: Serialize>(mut self, reply: Reply<T>) -> Answer<T> {
        if let Some(Pending { user, key_hash, request_hash, since }) = self.pending.take() {
            let answer = self.state.seal.close(&reply, &key_hash)?;
            let at = self.work.stamp().now;
            self.work.housekeeping(Chore::RememberAnswer { user, key_hash, request_hash, answer, at, since }).await?;
        }
        self.work.commit().await?;
        Ok(reply)
    }
}
