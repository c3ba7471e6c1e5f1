//! The schema from outside: brought up to date by its owner, and examined by whoever serves from it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
pub use postern_migration::fence::Raised as Migrated;
use postern_migration::fence::{self, Fault};
use sea_orm::{ConnectionTrait, Statement, prelude::DateTimeUtc};

use crate::{
    audit_keys::AuditKeys,
    backend::{self, Pool},
    error::StoreError,
    event_writer, instance,
    store::{Options, Store},
    tx::{Mode, Tx},
};

/// How far the clocks of server and database may be apart: tokens and time boxes are decided by the server's.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// Brings the schema up to date, and on PostgreSQL the wall between tenants, as the owner of the schema.
pub async fn migrate(options: &Options) -> Result<Migrated, StoreError> {
    let roles = backend::roles(options)?;
    let pool = Pool::connect_as_owner(options).await?;
    let (db, named) =
        (pool.as_sea_orm(), roles.as_ref().map(|(roles, password)| (roles, password.as_deref())));
    let done = postern_migration::up(&db, named).await;
    pool.close().await;
    let done = done?;
    if matches!(done, Migrated::Done) && options.audit_keys.is_some() {
        adopt(options).await?;
    }
    Ok(done)
}

/// Queues what was recorded before there was a log, once: later whatever has no place in the log has none for a reason.
async fn adopt(options: &Options) -> Result<(), StoreError> {
    let store = Store::connect_as_audit_owner(options).await?;
    let tx = Tx::begin(&store, Mode::Write).await?;
    let audit_keys = store.audit_keys()?;
    instance::belongs(&tx, audit_keys).await?;
    // That it was done is known beside the keys as well: whoever has only the database is not to have it done again, for what they made up.
    if instance::backfills_now(&tx).await?
        && event_writer::backfill_all(&tx).await? > 0
        && audit_keys.has_backfilled()
    {
        let what = "the record was taken over into its log before, and now the database says that it was not";
        return Err(StoreError::Broken(format!(
            "{what}: find out who changed it (if it is another, old database, remove {} from audit.keys_dir)",
            AuditKeys::BACKFILLED
        )));
    }
    tx.commit().await?;
    if let Err(error) = audit_keys.mark_backfilled() {
        tracing::warn!(%error, "that the record has been taken over into its log cannot be noted beside its keys");
    }
    store.close().await;
    Ok(())
}

/// Brings an embedded database up to date. On PostgreSQL this is nothing that a server may do: see [`migrate`].
pub async fn prepare(options: &Options) -> Result<(), StoreError> {
    if backend::is_embedded(&options.url) { migrate(options).await.map(drop) } else { Ok(()) }
}

/// The password that the server signs in to its database with, if the address has one.
#[must_use]
pub fn login_password(options: &Options) -> Option<String> {
    backend::roles(options).ok().flatten()?.1
}

/// Is there a database to look at? A server's may be anything; a file is there or not.
#[must_use]
pub fn is_there(options: &Options) -> bool {
    backend::sqlite_file(&options.url).is_none_or(|file| file.exists())
}

/// All that is not as it has to be: the wall between tenants, the record's triggers, migrations, the clock.
pub async fn examine(store: &Arc<Store>, now: DateTime<Utc>) -> Result<Vec<Fault>, StoreError> {
    // Not as one of the roles that a transaction becomes: perhaps they are what is missing.
    let tx = Tx::begin(store, Mode::NoRole).await?;
    let mut faults = match &store.roles {
        Some(roles) => fence::examine(&tx, roles).await?,
        None => Vec::new(),
    };
    tx.rollback().await?;
    // What is asked next needs rights, which are there if nothing was found so far.
    if faults.is_empty() {
        let tx = Tx::begin(store, Mode::Read).await?;
        let pending = postern_migration::pending(&tx).await?;
        if pending.is_empty() {
            faults.extend(append_only_faults(&tx, store).await?);
            faults.extend(clock(&tx, now).await?);
        } else {
            let what = format!(
                "{} migration(s) have not been applied: {}",
                pending.len(),
                pending.join(", ")
            );
            faults.push(Fault {
                check: "migrations",
                what,
                remedy: "run `postern migrate`".to_owned(),
            });
        }
        tx.rollback().await?;
    }
    Ok(faults)
}

/// The triggers around the record, where there is no wall that they are part of.
async fn append_only_faults(tx: &Tx, store: &Store) -> Result<Vec<Fault>, StoreError> {
    if store.roles.is_some() {
        return Ok(Vec::new());
    }
    let damaged = postern_migration::append_only_faults(tx, fence::APPEND_ONLY).await?.into_iter().map(|name| Fault {
        check: "triggers",
        what: format!("the trigger {name} is missing or altered: rows of the record could be changed unseen"),
        remedy: "restore the file from a backup, and find out who changed it".to_owned(),
    });
    Ok(damaged.collect())
}

async fn clock(tx: &Tx, now: DateTime<Utc>) -> Result<Option<Fault>, StoreError> {
    let Some(sql) = backend::server_time_sql(tx.get_database_backend()) else { return Ok(None) };
    let row = tx.query_one_raw(Statement::from_string(tx.get_database_backend(), sql)).await?;
    let theirs: DateTimeUtc = row
        .ok_or_else(|| StoreError::Corrupt("the database tells no time".to_owned()))?
        .try_get("", "now")?;
    let apart = (theirs - now).abs();
    Ok((apart > MAX_CLOCK_SKEW).then(|| Fault {
        check: "clock",
        what: format!(
            "this machine's clock and the database's are {} s apart",
            apart.num_seconds()
        ),
        remedy: "synchronise both with NTP".to_owned(),
    }))
}
