//! Read access under a grant.

use postern_domain::{
    actor::Caller,
    clock::RequestContext,
    id::OrgId,
    org::Org,
    policy::Grant,
    scope::{self, Scope},
};

use super::log::HasLog;
use crate::{
    error::StoreError,
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
        sessions::Sessions,
        settings::OrgSettings,
        staff::StaffList,
        users::Users,
    },
    tx::Tx,
};

/// Read access under a grant. The scope determines the available repositories.
pub struct Reader<S: Scope> {
    pub(super) tx: Tx,
    pub(super) grant: Grant<S>,
    pub(super) context: RequestContext,
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
