//! Stored responses of requests with an idempotency key
//! (draft-ietf-httpapi-idempotency-key-header).

use chrono::{DateTime, Utc};
use postern_domain::id::{OrgId, UserId};
use sea_orm::ConnectionTrait;

use crate::{
    backend::{statement, try_lock_sql},
    entity::org_or_nil,
    error::StoreError,
    tx::Tx,
};

pub struct IdempotencyStore<'a> {
    tx: &'a Tx,
    org: Option<OrgId>,
}

/// State of an idempotency key.
#[derive(Debug)]
pub enum KeyState {
    /// Unused: the caller is the first, and holds the key until its unit of work ends.
    First,
    /// Held by another request.
    InFlight,
    /// Used by a completed request.
    Completed { request_hash: Vec<u8>, response: Vec<u8> },
}

impl<'a> IdempotencyStore<'a> {
    pub(crate) const fn new(tx: &'a Tx, org: Option<OrgId>) -> Self {
        Self { tx, org }
    }

    /// The org to which keys belong: the same key in another org is a different key.
    #[must_use]
    pub const fn org(&self) -> Option<OrgId> {
        self.org
    }

    /// Looks a key up and holds it, in one statement. Responses stored at or before `since` have
    /// expired.
    ///
    /// Another request may commit its response between this statement's snapshot and its lock.
    /// Then both run under one key; storing the second response fails
    /// ([`super::unaudited::UnauditedWrite::StoreResponse`]) and rolls back its unit of work.
    pub async fn look_up(
        &self,
        user: UserId,
        key_hash: &[u8],
        since: DateTime<Utc>,
    ) -> Result<KeyState, StoreError> {
        let mut lock = [0; 8];
        lock.copy_from_slice(&key_hash[..8]);
        let backend = self.tx.get_database_backend();
        let sql = format!(
            "SELECT {} AS held, k.request_hash AS request_hash, k.response AS response
             FROM (SELECT 1 AS one) AS one LEFT JOIN idempotency_key k
               ON k.org_id = $5 AND k.user_id = $1 AND k.key_hash = $2 AND k.stored_at > $4",
            try_lock_sql(backend)
        );
        let values = [
            user.uuid().into(),
            key_hash.into(),
            i64::from_be_bytes(lock).into(),
            since.into(),
            org_or_nil(self.org).into(),
        ];
        let row = self.tx.query_one_raw(statement(backend, &sql, values)).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("left join without a row".to_owned()))?;
        let (request_hash, response) =
            (row.try_get("", "request_hash")?, row.try_get("", "response")?);
        let (request_hash, response): (Option<Vec<u8>>, Option<Vec<u8>>) = (request_hash, response);
        match request_hash.zip(response) {
            Some((request_hash, response)) => Ok(KeyState::Completed { request_hash, response }),
            None if row.try_get("", "held")? => Ok(KeyState::First),
            None => Ok(KeyState::InFlight),
        }
    }
}
