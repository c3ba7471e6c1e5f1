//! What a database knows of itself: a few words, each written once.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{audit_keys::AuditKeys, entity::instance, error::StoreError, tx::Tx};

/// What was recorded before there was a log is queued for it.
const BACKFILLED: &str = "log_backfilled";
/// What its logs are named after.
const NAME: &str = "log_origin";
/// Which key seals their entries.
const KEY: &str = "audit_key";

async fn known(tx: &Tx, key: &str) -> Result<Option<String>, StoreError> {
    Ok(instance::Entity::find_by_id(key).one(tx).await?.map(|row| row.value))
}

async fn note(tx: &Tx, key: &str, value: String) -> Result<(), StoreError> {
    let row = instance::ActiveModel { key: Set(key.to_owned()), value: Set(value) };
    instance::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Has it been done? If not, it is now, once the transaction is committed.
pub async fn backfills_now(tx: &Tx) -> Result<bool, StoreError> {
    if known(tx, BACKFILLED).await?.is_some() {
        return Ok(false);
    }
    note(tx, BACKFILLED, "yes".to_owned()).await?;
    Ok(true)
}

/// The record of a database is kept under one name and with one key: what is sealed with another would be refused by the pump.
pub async fn belongs(tx: &Tx, audit_keys: &AuditKeys) -> Result<(), StoreError> {
    let (ours, remedy) = (
        audit_keys.key_fingerprint(),
        "give it the folder of keys and the name that it began with",
    );
    match known(tx, KEY).await? {
        None => note(tx, KEY, ours).await?,
        Some(theirs) if theirs == ours => {}
        Some(theirs) => {
            let what = format!(
                "the record of this database is kept with the key {theirs}, and audit.keys_dir leads to {ours}"
            );
            return Err(StoreError::Broken(format!("{what}: {remedy}")));
        }
    }
    match known(tx, NAME).await? {
        None => note(tx, NAME, audit_keys.name()).await,
        Some(theirs) if audit_keys.accept_origin(&theirs) => Ok(()),
        Some(theirs) => {
            let what = format!(
                "the record of this database is kept as {theirs}, and audit.name is {}",
                audit_keys.name()
            );
            Err(StoreError::Broken(format!("{what}: {remedy}")))
        }
    }
}
