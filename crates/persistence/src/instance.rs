//! What a database knows of itself: a few words, each written once.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{entity::instance, error::StoreError, recorder::Recorder, tx::Tx};

/// What was recorded before there was a log is queued for it.
const ADOPTED: &str = "log_adopted";
/// What its logs are named after.
const NAME: &str = "record_name";
/// Which key seals their entries.
const KEY: &str = "record_key";

async fn known(tx: &Tx, key: &str) -> Result<Option<String>, StoreError> {
    Ok(instance::Entity::find_by_id(key).one(tx).await?.map(|row| row.value))
}

async fn note(tx: &Tx, key: &str, value: String) -> Result<(), StoreError> {
    let row = instance::ActiveModel { key: Set(key.to_owned()), value: Set(value) };
    instance::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Has it been done? If not, it is now, once the transaction is committed.
pub async fn adopts_now(tx: &Tx) -> Result<bool, StoreError> {
    if known(tx, ADOPTED).await?.is_some() {
        return Ok(false);
    }
    note(tx, ADOPTED, "yes".to_owned()).await?;
    Ok(true)
}

/// The record of a database is kept under one name and with one key: what is sealed with another would be refused by the pump.
pub async fn belongs(tx: &Tx, recorder: &Recorder) -> Result<(), StoreError> {
    let (ours, remedy) =
        (recorder.key_print(), "give it the folder of keys and the name that it began with");
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
        None => note(tx, NAME, recorder.name()).await,
        Some(theirs) if recorder.takes_name(&theirs) => Ok(()),
        Some(theirs) => {
            let what = format!(
                "the record of this database is kept as {theirs}, and audit.name is {}",
                recorder.name()
            );
            Err(StoreError::Broken(format!("{what}: {remedy}")))
        }
    }
}
