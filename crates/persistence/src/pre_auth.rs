//! Transactions before authorization: they can only look up the caller until the policy issues a
//! grant.

use std::sync::Arc;

use postern_domain::{
    actor::Actor,
    clock::RequestContext,
    event_draft::EventDraft,
    id::MemberId,
    id::{ImpersonationId, OrgId, SessionId, UserId},
    org_context::OrgContext,
    org_key::OrgKey,
    org_ref::OrgRef,
    policy::{Grant, LoadedIdentity, LoadedImpersonation},
    role::Role,
    scope::Scope,
};

use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult, Value};
use uuid::Uuid;

use crate::{
    backend::{Mode, statement},
    entity::{organization, session, user},
    error::{StoreError, unknown},
    event_writer,
    repository::{impersonations, staff},
    store::Store,
    tx::Tx,
    unit::Reader,
};

/// Claims of a valid access token. Each claim is compared with the database.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The user that signed in.
    pub user: UserId,
    pub session: SessionId,
    pub impersonation: Option<ImpersonationClaims>,
}

#[derive(Debug, Clone)]
pub struct ImpersonationClaims {
    pub id: ImpersonationId,
    pub target: UserId,
    pub org: OrgId,
}

/// An open transaction without a grant.
pub struct PreAuthTx {
    tx: Tx,
}

impl PreAuthTx {
    /// Begins a transaction. `writes`: whether the operation may write.
    pub async fn open(store: &Arc<Store>, writes: bool) -> Result<Self, StoreError> {
        let mode = if writes { Mode::Write } else { Mode::Read };
        Ok(Self { tx: Tx::begin(store, mode).await? })
    }

    /// Loads the identity behind an access token and the effective user's membership in `org`, in
    /// one statement. None if a row is missing or contradicts the token.
    pub async fn find(
        &self,
        bearer: &Bearer,
        org: Option<&OrgKey>,
    ) -> Result<Option<(LoadedIdentity, Option<OrgContext>)>, StoreError> {
        let mut values: Vec<Value> = vec![bearer.session.uuid().into()];
        values.extend(
            bearer.impersonation.as_ref().map(|impersonation| Value::from(impersonation.id.uuid())),
        );
        values.extend(org.map(|org| match org {
            OrgKey::Id(id) => Value::from(id.uuid()),
            OrgKey::Slug(slug) => Value::from(slug.as_str()),
        }));
        let sql = self.tx.store().lookups.sql(bearer.impersonation.is_some(), org.into());
        match self.tx.query_one_raw(statement(self.tx.get_database_backend(), sql, values)).await? {
            None => Ok(None),
            Some(row) => read(&row, bearer, org.is_some()),
        }
    }

    /// Ends the transaction without a grant.
    pub async fn end(self) -> Result<(), StoreError> {
        self.tx.rollback().await
    }

    /// Continues with a grant.
    #[must_use]
    pub fn authorized<S: Scope>(self, grant: Grant<S>, context: RequestContext) -> Reader<S> {
        Reader::new(self.tx, grant, context)
    }
}

/// Commits one event in its own transaction, so that it remains if the request fails later: a
/// denial, or a request under impersonation.
pub async fn record_in_own_tx(
    store: &Arc<Store>,
    draft: EventDraft,
    actor: &Actor,
    org: Option<OrgRef>,
    context: &RequestContext,
) -> Result<(), StoreError> {
    let tx = Tx::begin(store, Mode::Write).await?;
    event_writer::write(&tx, draft, actor, org.map(Into::into), context).await?;
    match tx.commit().await {
        // The request itself has not changed anything.
        Err(StoreError::OutcomeUnknown(error)) => Err(StoreError::Unavailable(error)),
        committed => committed,
    }
}

fn read(
    row: &QueryResult,
    bearer: &Bearer,
    with_org: bool,
) -> Result<Option<(LoadedIdentity, Option<OrgContext>)>, StoreError> {
    let session = session::Model::from_query_result(row, "s_")?;
    let user = user::Model::from_query_result(row, "u_")?;
    let mut agrees = user.id == bearer.user.uuid();
    let impersonation = match &bearer.impersonation {
        None => None,
        Some(claims) => {
            let impersonation = impersonations::Row::from_query_result(row, "i_")?;
            agrees &= impersonation.staff_session_id == session.id
                && impersonation.target_user_id == claims.target.uuid()
                && impersonation.org_id == claims.org.uuid();
            Some(LoadedImpersonation {
                state: impersonation.try_into()?,
                target: user::Model::from_query_result(row, "t_")?.into(),
                target_tier: staff::tier(row.try_get("", "t_tier")?)?,
                org: organization::Model::from_query_result(row, "b_")?.try_into()?,
                role: role(row.try_get("", "b_role")?)?,
            })
        }
    };
    let context = if with_org { context(row)? } else { None };
    let identity = LoadedIdentity {
        session: session.into(),
        user: user.into(),
        tier: staff::tier(row.try_get("", "tier")?)?,
        impersonation,
    };
    Ok(agrees.then_some((identity, context)))
}

fn context(row: &QueryResult) -> Result<Option<OrgContext>, StoreError> {
    let member: Option<Uuid> = row.try_get("", "m_id")?;
    let (Some(member), Some(role)) = (member, role(row.try_get("", "m_role")?)?) else {
        return Ok(None);
    };
    let org = organization::Model::from_query_result(row, "o_")?.try_into()?;
    Ok(Some(OrgContext { org, member: MemberId::new(member), role }))
}

fn role(name: Option<String>) -> Result<Option<Role>, StoreError> {
    name.map(|name| Role::parse(&name).ok_or_else(|| unknown("role", &name))).transpose()
}
