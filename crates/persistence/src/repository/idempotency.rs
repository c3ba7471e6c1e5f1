//! First answers to requests that may be repeated (draft-ietf-httpapi-idempotency-key-header).

use chrono::{DateTime, Utc};
use postern_domain::id::{OrgId, UserId};
use sea_orm::ConnectionTrait;

use crate::{backend::takes_lock, entity::org_or_nil, error::StoreError, store::statement, tx::Tx};

pub struct Answers<'a> {
    tx: &'a Tx,
    org: Option<OrgId>,
}

/// What is known of a key.
#[derive(Debug)]
pub enum Known {
    /// Nothing: whoever asks is the first, and holds the key until their unit of work ends.
    First,
    /// Somebody is working under this key right now.
    InFlight,
    /// It has been answered.
    Answered { request_hash: Vec<u8>, answer: Vec<u8> },
}

impl<'a> Answers<'a> {
    pub(crate) const fn new(tx: &'a Tx, org: Option<OrgId>) -> Self {
        Self { tx, org }
    }

    /// In which org's answers is looked: a key in one is another key in the next.
    #[must_use]
    pub const fn org(&self) -> Option<OrgId> {
        self.org
    }

    /// Looks a key up and holds it, in one statement. What was answered before `since` is forgotten.
    ///
    /// Somebody may commit an answer in the moment between this statement's snapshot and its lock. Then two work under one
    /// key; keeping the second answer fails ([`super::chores::Chore::RememberAnswer`]), and takes its work back with it.
    pub async fn look_up(
        &self,
        user: UserId,
        key_hash: &[u8],
        since: DateTime<Utc>,
    ) -> Result<Known, StoreError> {
        let mut lock = [0; 8];
        lock.copy_from_slice(&key_hash[..8]);
        let backend = self.tx.get_database_backend();
        let sql = format!(
            "SELECT {} AS held, k.request_hash AS request_hash, k.answer AS answer FROM (SELECT 1 AS one) AS one
             LEFT JOIN idempotency_key k ON k.org_id = $5 AND k.user_id = $1 AND k.key_hash = $2 AND k.answered_at > $4",
            takes_lock(backend)
        );
        let values = [
            user.uuid().into(),
            key_hash.into(),
            i64::from_be_bytes(lock).into(),
            since.into(),
            org_or_nil(self.org).into(),
        ];
        let row = self.tx.query_one_raw(statement(backend, &sql, values)).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("a left join gave no row".to_owned()))?;
        let (request_hash, answer) = (row.try_get("", "request_hash")?, row.try_get("", "answer")?);
        let (request_hash, answer): (Option<Vec<u8>>, Option<Vec<u8>>) = (request_hash, answer);
        match request_hash.zip(answer) {
            Some((request_hash, answer)) => Ok(Known::Answered { request_hash, answer }),
            None if row.try_get("", "held")? => Ok(Known::First),
            None => Ok(Known::InFlight),
        }
    }
}
