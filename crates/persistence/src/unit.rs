//! Reading and writing under a grant.
//!
//! A [`Work`] writes state only through [`Work::save`], which takes a [`Change`] and writes its
//! event and effects in the same transaction. Writes without an event go through
//! [`Work::write_unaudited`], a closed list. [`Work::commit`] fails if the operation did not record
//! what it declares. Dropping a [`Reader`] or a [`Work`] rolls back.

use std::ops::Deref;

use postern_domain::{
    actor::Caller,
    change::Change,
    clock::RequestContext,
    effect::{Effect, ImpersonationsOf},
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
        impersonations::Impersonations,
        log::Log,
        members::Members,
        org_stats::OrgStats,
        orgs::{self, Orgs},
        retention::Retentions,
        sessions::{self, Sessions},
        settings::OrgSettings,
        staff::StaffList,
        unaudited::UnauditedWrite,
        users::Users,
    },
    tx::Tx,
};

/// Read access under a grant. The scope determines the available repositories.
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

    /// Stored responses to requests with an idempotency key.
    #[must_use]
    pub fn idempotency(&self) -> IdempotencyStore<'_>
    where
        S: HasLog,
    {
        IdempotencyStore::new(&self.tx, S::log(&self.grant).map(|org| org.id))
    }

    /// Ends the transaction now instead of some time after the drop.
    pub async fn end(self) -> Result<(), StoreError> {
        self.tx.rollback().await
    }

    /// Continues with write access.
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
    /// The caller. A grant of this scope always has one.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.grant.actor().caller().expect("a grant of the user scope has a caller")
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

    /// Orgs of the effective user; under impersonation, only the impersonated org.
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
    /// The caller. A grant of this scope always has one.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.grant.actor().caller().expect("a grant of the org scope has a caller")
    }

    /// The org, locked until the unit of work ends. None if its deletion was requested in the
    /// meantime.
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
    /// The caller; none for an operator at the command line.
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

    /// The log of `org`; the platform's log if none is given.
    pub const fn log(&self, org: Option<OrgId>) -> Log<'_> {
        Log::of(&self.tx, org)
    }

    pub const fn impersonations(&self) -> Impersonations<'_> {
        Impersonations::of_all(&self.tx)
    }
}

/// A unit of work: its writes are committed together or not at all.
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
    /// Writes the new state with its event and effects, and returns the state. An unchanged state
    /// is neither written nor recorded.
    pub async fn save<T: Persist<S>>(&mut self, change: Change<T>) -> Result<T, StoreError> {
        let (after, draft, effects) = change.into_parts();
        if let Some(draft) = draft {
            after.persist(WriteContext { tx: &self.reader.tx, grant: &self.reader.grant }).await?;
            self.record(draft).await?;
        }
        for effect in effects {
            self.apply(effect).await?;
        }
        self.event_recorded = true;
        Ok(after)
    }

    /// Records an event without a change of state: a disclosure or a failure.
    pub async fn record(&mut self, draft: EventDraft) -> Result<(), StoreError> {
        let Reader { tx, grant, context } = &self.reader;
        if !grant.operation().records.actions().contains(&draft.action) {
            return Err(StoreError::Broken(format!(
                "{} does not declare the audit action {}",
                grant.operation().id,
                draft.action
            )));
        }
        self.event_recorded = true;
        event_writer::write(tx, draft, grant.actor(), S::log(grant), context).await
    }

    async fn apply(&self, effect: Effect) -> Result<(), StoreError> {
        let Reader { tx, context, .. } = &self.reader;
        match effect {
            Effect::EndImpersonations(of) => self.end_impersonations(of).await,
            Effect::EndOtherSessions { user, kept_session } => {
                sessions::end_all_but(tx, user, kept_session, context.now).await?;
                self.end_impersonations(ImpersonationsOf::OtherSessions { user, kept_session })
                    .await
            }
        }
    }

    /// Ends active impersonations, each with its own event. Operations do not declare this event,
    /// because every operation may have this effect.
    async fn end_impersonations(&self, of: ImpersonationsOf) -> Result<(), StoreError> {
        let Reader { tx, grant, context } = &self.reader;
        for impersonation in
            Impersonations::of_all(tx).find_linked_for_update(of, context.now).await?
        {
            let ended = impersonation
                .end(context.now)
                .map_err(|error| StoreError::Broken(error.to_string()))?;
            if let (impersonation, Some(draft), _) = ended.into_parts() {
                impersonation.persist(WriteContext { tx, grant }).await?;
                event_writer::write(tx, draft, grant.actor(), S::log(grant), context).await?;
            }
        }
        Ok(())
    }

    /// Writes without an audit event.
    pub async fn write_unaudited(&mut self, write: UnauditedWrite) -> Result<(), StoreError> {
        self.wrote_unaudited = true;
        write.run(&self.reader.tx).await
    }

    /// Commits. Fails if the operation did not record what it declares.
    pub async fn commit(self) -> Result<(), StoreError> {
        let operation = self.reader.grant.operation();
        let recorded = match operation.records {
            Records::Nothing | Records::InOwnTx(_) => false,
            Records::Always(_) => self.event_recorded,
            Records::OnAnomaly(_) => self.event_recorded || self.wrote_unaudited,
        };
        if !recorded {
            return Err(StoreError::Broken(format!(
                "{}: commit refused, no audit event was recorded",
                operation.id
            )));
        }
        self.reader.tx.commit().await
    }
}

/// The org that an event belongs to in a scope, unless its draft names another; none for the
/// platform's log.
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
