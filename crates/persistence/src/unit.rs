//! Reading and writing under a grant.
//!
//! A [`Work`] writes state only through [`Work::save`], which takes a [`Change`] and adds its event in the same
//! transaction; bookkeeping that is nobody's act goes through [`Work::housekeeping`], a closed list. [`Work::commit`]
//! refuses when the operation did not record what it promises. Dropping either rolls back.

use std::ops::Deref;

use postern_domain::{
    actor::Caller,
    change::Change,
    clock::RequestContext,
    event::EventDraft,
    id::OrgId,
    operation::Records,
    org::{Org, OrgRef},
    policy::{self, Grant},
    scope::{self, Scope},
};

use crate::{
    error::StoreError,
    event_writer,
    persist::{Persist, WriteContext},
    repository::{
        accounts::Accounts,
        credentials::Credentials,
        events::Events,
        features::Features,
        idempotency::IdempotencyStore,
        impersonations::{Impersonations, ImpersonationsOf},
        log::Log,
        members::Members,
        org_stats::OrgStats,
        orgs::{self, Orgs},
        retention::Retentions,
        sessions::Sessions,
        settings::OrgSettings,
        staff::StaffList,
        unaudited::UnauditedWrite,
        users::Users,
    },
    tx::Tx,
};

/// What may be read under a grant. Which repositories there are depends on the scope.
pub struct Reader<S: Scope> {
    tx: Tx,
    grant: Grant<S>,
    context: RequestContext,
}

impl<S: Scope> Reader<S> {
    pub(crate) const fn new(tx: Tx, grant: Grant<S>, context: RequestContext) -> Self {
        Self { tx, grant, context }
    }

    pub const fn grant(&self) -> &Grant<S> {
        &self.grant
    }

    pub const fn context(&self) -> &RequestContext {
        &self.context
    }

    /// The first answers to requests that may be repeated.
    #[must_use]
    pub fn idempotency(&self) -> IdempotencyStore<'_>
    where
        S: HasLog,
    {
        IdempotencyStore::new(&self.tx, S::log(&self.grant).map(|org| org.id))
    }

    /// Ends it now, rather than some time after it is dropped.
    pub async fn end(self) -> Result<(), StoreError> {
        self.tx.rollback().await
    }

    /// Goes on to write.
    pub const fn begin(self) -> Work<S>
    where
        S: HasLog,
    {
        Work { reader: self, event_recorded: false, wrote_unaudited: false }
    }
}

impl Reader<scope::Public> {
    pub const fn credentials(&self) -> Credentials<'_> {
        Credentials::new(&self.tx)
    }

    pub const fn sessions(&self) -> Sessions<'_> {
        Sessions::new(&self.tx)
    }
}

impl Reader<scope::User> {
    /// The caller; a grant of this scope is only made for one.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.grant.actor().caller().expect("the personal scope has a caller")
    }

    pub const fn credentials(&self) -> Credentials<'_> {
        Credentials::new(&self.tx)
    }

    pub const fn sessions(&self) -> Sessions<'_> {
        Sessions::new(&self.tx)
    }

    pub const fn users(&self) -> Users<'_> {
        Users::new(&self.tx)
    }

    /// The orgs of the effective user; under a guise the one it is bound to, and no other.
    #[must_use]
    pub fn orgs(&self) -> Orgs<'_> {
        let caller = self.caller();
        Orgs::new(
            &self.tx,
            caller.effective().id,
            caller.impersonation().map(|impersonation| impersonation.org.id),
        )
    }
}

impl Reader<scope::Org> {
    /// The caller; a grant of this scope is only made for one.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.grant.actor().caller().expect("an org's scope has a caller")
    }

    /// The org, locked until the unit of work ends; none where somebody has asked for its deletion meanwhile.
    pub async fn find_org_for_update(&self) -> Result<Option<Org>, StoreError> {
        orgs::find_for_update(&self.tx, self.grant.context().org.id).await
    }

    #[must_use]
    pub fn members(&self) -> Members<'_> {
        Members::new(&self.tx, self.grant.context().org.id)
    }

    #[must_use]
    pub fn settings(&self) -> OrgSettings<'_> {
        OrgSettings::new(&self.tx, &self.grant.context().org)
    }

    #[must_use]
    pub fn features(&self) -> Features<'_> {
        Features::new(&self.tx, self.grant.context().org.id)
    }

    #[must_use]
    pub fn stats(&self) -> OrgStats<'_> {
        OrgStats::new(&self.tx, self.grant.context().org.id)
    }

    #[must_use]
    pub fn events(&self) -> Events<'_> {
        Events::of_org(&self.tx, self.grant.context().org.id)
    }

    #[must_use]
    pub fn log(&self) -> Log<'_> {
        Log::of(&self.tx, Some(self.grant.context().org.id))
    }

    #[must_use]
    pub fn impersonations(&self) -> Impersonations<'_> {
        Impersonations::of_org(&self.tx, self.grant.context().org.id)
    }
}

impl Reader<scope::Staff> {
    /// The caller, unless it is an operator at the command line.
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        self.grant.actor().caller()
    }

    pub const fn staff(&self) -> StaffList<'_> {
        StaffList::new(&self.tx)
    }

    pub const fn retentions(&self) -> Retentions<'_> {
        Retentions::new(&self.tx)
    }

    pub const fn accounts(&self) -> Accounts<'_> {
        Accounts::new(&self.tx)
    }

    pub const fn events(&self) -> Events<'_> {
        Events::of_all(&self.tx)
    }

    /// The log of an org, or the platform's own.
    pub const fn log(&self, org: Option<OrgId>) -> Log<'_> {
        Log::of(&self.tx, org)
    }

    pub const fn impersonations(&self) -> Impersonations<'_> {
        Impersonations::of_all(&self.tx)
    }
}

/// A unit of work: reads, saves and commits, or nothing.
#[must_use = "a unit of work that is not committed is rolled back"]
pub struct Work<S: Scope> {
    reader: Reader<S>,
    event_recorded: bool,
    wrote_unaudited: bool,
}

impl<S: Scope> Deref for Work<S> {
    type Target = Reader<S>;

    fn deref(&self) -> &Reader<S> {
        &self.reader
    }
}

impl<S: HasLog> Work<S> {
    /// Writes the state after a decision together with its event, and gives the state back. What did not change is
    /// neither written nor recorded.
    pub async fn save<T: Persist<S>>(&mut self, change: Change<T>) -> Result<T, StoreError> {
        let (after, draft) = change.into_parts();
        if let Some(draft) = draft {
            after.persist(WriteContext { tx: &self.reader.tx, grant: &self.reader.grant }).await?;
            self.record(draft).await?;
        }
        self.event_recorded = true;
        Ok(after)
    }

    /// Records what was done without a change of state: a disclosure, a failure.
    pub async fn record(&mut self, draft: EventDraft) -> Result<(), StoreError> {
        let Reader { tx, grant, context } = &self.reader;
        if !grant.operation().records.actions().contains(&draft.action) {
            return Err(StoreError::Broken(format!(
                "{} does not promise to record {}",
                grant.operation().id,
                draft.action
            )));
        }
        self.event_recorded = true;
        event_writer::write(tx, draft, grant.actor(), S::log(grant), context).await
    }

    /// Ends the live impersonations that hang on what has just gone, each with its own event: a consequence that every
    /// operation may have, and none has to promise.
    pub async fn end_impersonations(&mut self, on: ImpersonationsOf) -> Result<(), StoreError> {
        let Reader { tx, grant, context } = &self.reader;
        for impersonation in
            Impersonations::of_all(tx).find_linked_for_update(on, context.now).await?
        {
            let ended = impersonation
                .end(context.now)
                .map_err(|error| StoreError::Broken(error.to_string()))?;
            if let (impersonation, Some(draft)) = ended.into_parts() {
                impersonation.persist(WriteContext { tx, grant }).await?;
                event_writer::write(tx, draft, grant.actor(), S::log(grant), context).await?;
            }
        }
        Ok(())
    }

    /// Does what is no act of anybody.
    pub async fn write_unaudited(&mut self, chore: UnauditedWrite) -> Result<(), StoreError> {
        self.wrote_unaudited = true;
        chore.run(&self.reader.tx).await
    }

    /// Makes it so. Denied when nothing was said of what was done.
    pub async fn commit(self) -> Result<(), StoreError> {
        let operation = self.reader.grant.operation();
        let said_enough = match operation.records {
            Records::Nothing | Records::InOwnTx(_) => false,
            Records::Always(_) => self.event_recorded,
            Records::OnAnomaly(_) => self.event_recorded || self.wrote_unaudited,
        };
        if !said_enough {
            return Err(StoreError::Broken(format!(
                "{} would commit without a word of what it did",
                operation.id
            )));
        }
        self.reader.tx.commit().await
    }
}

/// In whose log stands what is done in a scope, unless the act says otherwise.
pub trait HasLog: Scope {
    fn log(grant: &Grant<Self>) -> Option<OrgRef>
    where
        Self: Sized;
}

impl HasLog for scope::Org {
    fn log(grant: &Grant<Self>) -> Option<OrgRef> {
        Some(grant.context().org.reference())
    }
}

macro_rules! logs_at_home {
    ($($scope:ty),+) => {
        $(impl HasLog for $scope {
            fn log(grant: &Grant<Self>) -> Option<OrgRef> {
                policy::impersonated_org(grant.actor()).cloned()
            }
        })+
    };
}

logs_at_home!(scope::Public, scope::User, scope::Staff);
