//! First answers to requests that may be repeated (draft-ietf-httpapi-idempotency-key-header).

use chrono::{DateTime, Utc};
use postern_domain::id::UserId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{entity::idempotency_key, error::StoreError, tx::Tx};

pub struct Answers<'a> {
    tx: &'a Tx,
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
    pub(crate) const fn new(tx: &'a Tx) -> Self {
        Self { tx }
    }

    /// Looks a key up and holds it. What was answered before `since` is forgotten.
    pub async fn look_up(&self, user: UserId, key_hash: &[u8], since: DateTime<Utc>) -> Result<Known, StoreError> {
        let mut first_bytes = [0; 8];
        first_bytes.copy_from_slice(&key_hash[..8]);
        if !self.tx.hold(i64::from_be_bytes(first_bytes)).await? {
            return Ok(Known::InFlight);
        }
        let row = idempotency_key::Entity::find_by_id((user.uuid(), key_hash.to_vec()))
            .filter(idempotency_key::Column::AnsweredAt.gt(since))
            .one(self.tx)
            .await?;
        Ok(row.map_or(Known::First, |row| Known::Answered { request_hash: row.request_hash, answer: row.answer }))
    }
}
