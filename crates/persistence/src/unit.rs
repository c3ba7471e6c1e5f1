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
    event::Act,
    id::OrgId,
    operation::Records,
    org::{Org, OrgRef},
    policy::{self, Grant},
    scope::{self, Scope},
};

use crate::{
    error::StoreError,
    record,
    repository::{
        accounts::Accounts,
        chores::Chore,
        credentials::Credentials,
        events::Events,
        features::Features,
        figures::Figures,
        idempotency::Answers,
        impersonations::{Impersonations, ImpersonationsOf},
        log::Log,
        members::Members,
        orgs::{self, Orgs},
        retention::Retentions,
        sessions::Sessions,
        settings::OrgSettings,
        staff::StaffList,
        users::Users,
    },
    stored::{Stored, Target},
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
    pub fn answers(&self) -> Answers<'_>
    where
        S: HasLog,
    {
        Answers::new(&self.tx, S::log(&self.grant).map(|org| org.id))
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
        Work { reader: self, settled: false, kept_books: false }
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
    pub async fn locked_org(&self) -> Result<Option<Org>, StoreError> {
        orgs::locked(&self.tx, self.grant.context().org.id).await
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
    pub fn figures(&self) -> Figures<'_> {
        Figures::new(&self.tx, self.grant.context().org.id)
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
    settled: bool,
    kept_books: bool,
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
    pub async fn save<T: Stored<S>>(&mut self, change: Change<T>) -> Result<T, StoreError> {
        let (after, act) = change.into_parts();
        if let Some(act) = act {
            after.store(Target { tx: &self.reader.tx, grant: &self.reader.grant }).await?;
            self.record(act).await?;
        }
        self.settled = true;
        Ok(after)
    }

    /// Records what was done without a change of state: a disclosure, a failure.
    pub async fn record(&mut self, act: Act) -> Result<(), StoreError> {
        let Reader { tx, grant, context } = &self.reader;
        if !grant.operation().records.actions().contains(&act.action) {
            return Err(StoreError::Broken(format!(
                "{} does not promise to record {}",
                grant.operation().id,
                act.action
            )));
        }
        self.settled = true;
        record::write(tx, act, grant.actor(), S::log(grant), context).await
    }

    /// Ends the live impersonations that hang on what has just gone, each with its own event: a consequence that every
    /// operation may have, and none has to promise.
    pub async fn end_impersonations(&mut self, on: ImpersonationsOf) -> Result<(), StoreError> {
        let Reader { tx, grant, context } = &self.reader;
        for impersonation in Impersonations::of_all(tx).locked_hanging(on, context.now).await? {
            let ended = impersonation
                .end(context.now)
                .map_err(|error| StoreError::Broken(error.to_string()))?;
            if let (impersonation, Some(act)) = ended.into_parts() {
                impersonation.store(Target { tx, grant }).await?;
                record::write(tx, act, grant.actor(), S::log(grant), context).await?;
            }
        }
        Ok(())
    }

    /// Does what is no act of anybody.
    pub async fn housekeeping(&mut self, chore: Chore) -> Result<(), StoreError> {
        self.kept_books = true;
        chore.run(&self.reader.tx).await
    }

    /// Makes it so. Denied when nothing was said of what was done.
    pub async fn commit(self) -> Result<(), StoreError> {
        let operation = self.reader.grant.operation();
        let said_enough = match operation.records {
            Records::Nothing | Records::Aside(_) => false,
            Records::Always(_) => self.settled,
            Records::OnlyIf(_) => self.settled || self.kept_books,
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
