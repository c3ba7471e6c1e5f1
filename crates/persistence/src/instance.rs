//! Metadata of the database: a few values, each written once.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{audit_keys::AuditKeys, entity::instance, error::StoreError, tx::Tx};

/// Set when the events from before the transparency log are queued.
const BACKFILLED: &str = "log_backfilled";
/// Prefix of the database's log origins.
const NAME: &str = "log_origin";
/// Fingerprint of the MAC key of its audit queue.
const KEY: &str = "audit_key";

async fn known(tx: &Tx, key: &str) -> Result<Option<String>, StoreError> {
    Ok(instance::Entity::find_by_id(key).one(tx).await?.map(|row| row.value))
}

async fn note(tx: &Tx, key: &str, value: String) -> Result<(), StoreError> {
    let row = instance::ActiveModel { key: Set(key.to_owned()), value: Set(value) };
    instance::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Marks the database as backfilled. Returns false if it was marked already.
pub async fn backfills_now(tx: &Tx) -> Result<bool, StoreError> {
    if known(tx, BACKFILLED).await?.is_some() {
        return Ok(false);
    }
    note(tx, BACKFILLED, "yes".to_owned()).await?;
    Ok(true)
}

/// Compares the audit keys with the fingerprint and log name that the database is bound to, and
/// binds a new database. With another MAC key, the sequencer would reject every entry.
pub async fn belongs(tx: &Tx, audit_keys: &AuditKeys) -> Result<(), StoreError> {
    let (fingerprint, remedy) =
        (audit_keys.key_fingerprint(), "restore the original key folder and log name");
    match known(tx, KEY).await? {
        None => note(tx, KEY, fingerprint).await?,
        Some(stored) if stored == fingerprint => {}
        Some(stored) => {
            return Err(StoreError::Broken(format!(
                "the database is bound to the audit key {stored}, but audit.keys_dir has \
                 {fingerprint}: {remedy}"
            )));
        }
    }
    match known(tx, NAME).await? {
        None => note(tx, NAME, audit_keys.name()).await,
        Some(stored) if audit_keys.accept_origin(&stored) => Ok(()),
        Some(stored) => {
            let name = audit_keys.name();
            Err(StoreError::Broken(format!(
                "the database is bound to the log name {stored}, but audit.log_origin is {name}: \
                 {remedy}"
            )))
        }
    }
}
