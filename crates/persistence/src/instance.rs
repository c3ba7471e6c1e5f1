//! Metadata of the database: a few values, each written once.

use std::sync::Arc;

use postern_keystore::AuditKeys;
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{backend::Mode, entity::instance, error::StoreError, store::Store, tx::Tx};

/// Set when the events from before the transparency log are queued.
const BACKFILLED: &str = "log_backfilled";
/// Prefix of the database's log origins.
const LOG_ORIGIN: &str = "log_origin";
/// Fingerprint of the MAC key of its audit queue.
const KEY_FINGERPRINT: &str = "audit_key";

/// Lock of a transaction that sets up a new database: replicas may start together.
pub(crate) const SETUP_LOCK: i64 = 0x0070_6f73_7465_726e;

async fn find_value(tx: &Tx, key: &str) -> Result<Option<String>, StoreError> {
    Ok(instance::Entity::find_by_id(key).one(tx).await?.map(|row| row.value))
}

async fn insert_value(tx: &Tx, key: &str, value: String) -> Result<(), StoreError> {
    let row = instance::ActiveModel { key: Set(key.to_owned()), value: Set(value) };
    instance::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Marks the database as backfilled. Returns false if it was marked already.
pub async fn mark_backfilled(tx: &Tx) -> Result<bool, StoreError> {
    if find_value(tx, BACKFILLED).await?.is_some() {
        return Ok(false);
    }
    insert_value(tx, BACKFILLED, "yes".to_owned()).await?;
    Ok(true)
}

/// Compares the audit keys with the fingerprint and log origin that the database is bound to, and
/// binds a new database. With another MAC key, the sequencer would reject every entry.
pub async fn check_audit_identity(tx: &Tx, audit_keys: &AuditKeys) -> Result<(), StoreError> {
    let (fingerprint, remedy) =
        (audit_keys.key_fingerprint(), "restore the original key folder and log origin");
    match find_value(tx, KEY_FINGERPRINT).await? {
        None => insert_value(tx, KEY_FINGERPRINT, fingerprint).await?,
        Some(stored) if stored == fingerprint => {}
        Some(stored) => {
            return Err(StoreError::Broken(format!(
                "the database is bound to the audit key {stored}, but audit.keys_dir has \
                 {fingerprint}: {remedy}"
            )));
        }
    }
    match find_value(tx, LOG_ORIGIN).await? {
        None => insert_value(tx, LOG_ORIGIN, audit_keys.name()).await,
        Some(stored) if audit_keys.accept_origin(&stored) => Ok(()),
        Some(stored) => {
            let name = audit_keys.name();
            Err(StoreError::Broken(format!(
                "the database is bound to the log origin {stored}, but audit.log_origin is {name}: \
                 {remedy}"
            )))
        }
    }
}

impl Store {
    /// Fingerprint of the audit key that the database is bound to; `None` if it is new.
    pub async fn bound_audit_key(self: &Arc<Self>) -> Result<Option<String>, StoreError> {
        find_value(&Tx::begin(self, Mode::Read).await?, KEY_FINGERPRINT).await
    }

    /// Checks that the audit log of this database belongs to the configured keys and origin. Binds
    /// a new database to them.
    pub async fn bind_audit_keys(self: &Arc<Self>) -> Result<(), StoreError> {
        let audit_keys = Arc::clone(self.audit_keys()?);
        let tx = Tx::begin(self, Mode::Write).await?;
        tx.wait_for(SETUP_LOCK).await?;
        check_audit_identity(&tx, &audit_keys).await?;
        tx.commit().await
    }
}
