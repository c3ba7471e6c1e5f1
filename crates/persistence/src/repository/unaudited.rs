//! Writes without an audit event, as a closed list.

use chrono::{DateTime, Utc};
use postern_domain::{
    id::{OrgId, SessionId, UserId},
    session::Session,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use crate::{
    entity::{idempotency_key, org_or_nil, refresh_token, session},
    error::StoreError,
    tx::Tx,
};

/// A write that a unit of work may do without an event.
#[derive(Debug)]
pub enum UnauditedWrite {
    /// Stores the hash of a new refresh token.
    IssueRefreshToken { hash: Vec<u8>, session: SessionId, at: DateTime<Utc> },
    /// Marks a refresh token as used, stores its successor and extends the session.
    RotateRefreshToken { used: Vec<u8>, successor: Vec<u8>, session: Session },
    /// Stores the first response to a request with an idempotency key, and replaces one stored at
    /// or before `since`. Fails with a conflict if a concurrent request stored a later one.
    StoreResponse {
        org: Option<OrgId>,
        user: UserId,
        key_hash: Vec<u8>,
        request_hash: Vec<u8>,
        response: Vec<u8>,
        at: DateTime<Utc>,
        since: DateTime<Utc>,
    },
}

impl UnauditedWrite {
    pub(crate) async fn run(self, tx: &Tx) -> Result<(), StoreError> {
        match self {
            Self::IssueRefreshToken { hash, session, at } => issue(tx, hash, session, at).await,
            Self::RotateRefreshToken { used, successor, session } => {
                rotate(tx, used, successor, &session).await
            }
            Self::StoreResponse { org, user, key_hash, request_hash, response, at, since } => {
                let row = idempotency_key::ActiveModel {
                    org_id: Set(org_or_nil(org)),
                    user_id: Set(user.uuid()),
                    key_hash: Set(key_hash),
                    request_hash: Set(request_hash),
                    response: Set(response),
                    stored_at: Set(at),
                };
                store_response(tx, row, since).await
            }
        }
    }
}

async fn rotate(
    tx: &Tx,
    used: Vec<u8>,
    successor: Vec<u8>,
    session: &Session,
) -> Result<(), StoreError> {
    let at = session.last_used_at;
    refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::value(at))
        .filter(refresh_token::Column::Hash.eq(used))
        .exec(tx)
        .await?;
    session::Entity::update_many()
        .col_expr(session::Column::LastUsedAt, Expr::value(at))
        .col_expr(session::Column::ExpiresAt, Expr::value(session.expires_at))
        .filter(session::Column::Id.eq(session.id.uuid()))
        .exec(tx)
        .await?;
    issue(tx, successor, session.id, at).await
}

async fn store_response(
    tx: &Tx,
    row: idempotency_key::ActiveModel,
    since: DateTime<Utc>,
) -> Result<(), StoreError> {
    use idempotency_key::Column as C;
    let replace_expired = OnConflict::columns([C::OrgId, C::UserId, C::KeyHash])
        .update_columns([C::RequestHash, C::Response, C::StoredAt])
        .action_and_where(Expr::col((idempotency_key::Entity, C::StoredAt)).lte(since))
        .to_owned();
    let inserted = idempotency_key::Entity::insert(row)
        .on_conflict(replace_expired)
        .exec_without_returning(tx)
        .await?;
    match inserted {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(DbErr::RecordNotInserted)),
    }
}

async fn issue(
    tx: &Tx,
    hash: Vec<u8>,
    session: SessionId,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = refresh_token::ActiveModel {
        hash: Set(hash),
        session_id: Set(session.uuid()),
        issued_at: Set(at),
        used_at: Set(None),
    };
    refresh_token::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}
