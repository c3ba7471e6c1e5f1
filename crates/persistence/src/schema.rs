//! Schema maintenance: migration as the schema owner, and health checks by the server.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use postern_keystore::AuditKeys;
pub use postern_migration::rls::ApplyOutcome as MigrationOutcome;
use postern_migration::rls::{self, Check, Fault};
use sea_orm::{ConnectionTrait, Statement, prelude::DateTimeUtc};

use crate::{
    backend::{self, Mode},
    error::StoreError,
    event_writer, instance,
    options::Options,
    store::Store,
    tx::Tx,
};

/// Maximum difference between the clocks of server and database. Expiry of tokens and
/// impersonations is decided by the server's clock.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// Applies pending migrations and, on PostgreSQL, row-level security, as the schema owner.
pub async fn migrate(options: &Options) -> Result<MigrationOutcome, StoreError> {
    let roles = backend::roles(options)?;
    let db = backend::connect_as_owner(options).await?;
    let named = roles.as_ref().map(|(roles, password)| (roles, password.as_deref()));
    let pending = postern_migration::pending(&db).await?.len();
    let outcome = postern_migration::up(&db, named).await;
    db.close().await?;
    let outcome = outcome?;
    if pending > 0 {
        tracing::info!(migrations = pending, "schema migrated");
    }
    if matches!(outcome, MigrationOutcome::Done) && options.audit_keys.is_some() {
        backfill(options).await?;
    }
    Ok(outcome)
}

/// Queues the events recorded before the transparency log existed. Runs once: afterwards, an event
/// that is neither queued nor in the log was rejected or forged.
async fn backfill(options: &Options) -> Result<(), StoreError> {
    let store = Store::connect_as_audit_owner(options).await?;
    let tx = Tx::begin(&store, Mode::Write).await?;
    let audit_keys = store.audit_keys()?;
    instance::check_audit_identity(&tx, audit_keys).await?;
    // A marker beside the keys repeats the database's: write access to the database alone must not
    // be enough to have forged events backfilled.
    if instance::mark_backfilled(&tx).await?
        && event_writer::backfill_all(&tx).await? > 0
        && audit_keys.has_backfilled()
    {
        return Err(StoreError::Broken(format!(
            "the audit log was already backfilled, but the database says it was not: find out who \
             changed it (for a different, older database, remove {} from audit.keys_dir)",
            AuditKeys::BACKFILLED
        )));
    }
    tx.commit().await?;
    if let Err(error) = audit_keys.mark_backfilled() {
        tracing::warn!(%error, "could not write the backfill marker to audit.keys_dir");
    }
    store.close().await;
    Ok(())
}

/// Migrates an embedded database. No-op on PostgreSQL, where the server may not: see [`migrate`].
pub async fn prepare(options: &Options) -> Result<(), StoreError> {
    if backend::is_embedded(&options.url) { migrate(options).await.map(drop) } else { Ok(()) }
}

/// Password in the server's database URL, if any.
#[must_use]
pub fn login_password(options: &Options) -> Option<String> {
    backend::roles(options).ok().flatten()?.1
}

/// Reports whether the SQLite file exists. Always true for PostgreSQL.
#[must_use]
pub fn exists(options: &Options) -> bool {
    backend::sqlite_file(&options.url).is_none_or(|file| file.exists())
}

impl Store {
    /// Checks that the database responds.
    pub async fn ping(self: &Arc<Self>) -> Result<(), StoreError> {
        let tx = Tx::begin(self, Mode::Read).await?;
        tx.execute_unprepared("SELECT 1").await?;
        Ok(())
    }
}

/// Checks row-level security, append-only triggers, migrations and the clock. Returns one fault
/// per failed check.
pub async fn examine(store: &Arc<Store>, now: DateTime<Utc>) -> Result<Vec<Fault>, StoreError> {
    // Assumes no role, because the roles may be what is missing.
    let tx = Tx::begin(store, Mode::NoRole).await?;
    let mut faults = match &store.roles {
        Some(roles) => rls::examine(&tx, roles).await?,
        None => Vec::new(),
    };
    faults.extend(read_only(&tx).await?);
    tx.rollback().await?;
    // The next checks need privileges, which exist if nothing has failed so far.
    if faults.is_empty() {
        let tx = Tx::begin(store, Mode::Read).await?;
        let pending = postern_migration::pending(&tx).await?;
        if pending.is_empty() {
            faults.extend(append_only_faults(&tx, store).await?);
            faults.extend(clock(&tx, now).await?);
        } else {
            let detail = format!("{} migration(s) pending: {}", pending.len(), pending.join(", "));
            faults.push(Fault {
                check: Check::Migrations,
                detail,
                remedy: "run `postern migrate`".to_owned(),
            });
        }
        tx.rollback().await?;
    }
    Ok(faults)
}

/// Notes on the database that an administrator should assess. None on SQLite.
pub async fn notes(store: &Arc<Store>) -> Result<Vec<String>, StoreError> {
    if store.roles.is_none() {
        return Ok(Vec::new());
    }
    let tx = Tx::begin(store, Mode::NoRole).await?;
    let notes = rls::notes(&tx).await?;
    tx.rollback().await?;
    Ok(notes)
}

/// Checks the append-only triggers on SQLite. On PostgreSQL, [`rls::examine`] checks them.
async fn append_only_faults(tx: &Tx, store: &Store) -> Result<Vec<Fault>, StoreError> {
    if store.roles.is_some() {
        return Ok(Vec::new());
    }
    let triggers = postern_migration::append_only_faults(tx, rls::APPEND_ONLY).await?;
    let faults = triggers.into_iter().map(|name| Fault {
        check: Check::Triggers,
        detail: format!(
            "the trigger {name} is missing or altered: audit rows could be changed undetected"
        ),
        remedy: "restore the file from a backup and find out who changed it".to_owned(),
    });
    Ok(faults.collect())
}

async fn read_only(tx: &Tx) -> Result<Option<Fault>, StoreError> {
    let Some(sql) = backend::is_read_only_sql(tx.get_database_backend()) else { return Ok(None) };
    let row = tx.query_one_raw(Statement::from_string(tx.get_database_backend(), sql)).await?;
    let row = row.ok_or_else(|| StoreError::Corrupt("the database returned no row".to_owned()))?;
    let is_read_only: bool = row.try_get("", "is_read_only")?;
    Ok(is_read_only.then(|| Fault {
        check: Check::ReadOnly,
        detail:
            "the database rejects writes: it is a standby, or default_transaction_read_only is \
                 on"
            .to_owned(),
        remedy: "connect to the primary, or reset default_transaction_read_only".to_owned(),
    }))
}

async fn clock(tx: &Tx, now: DateTime<Utc>) -> Result<Option<Fault>, StoreError> {
    let Some(sql) = backend::server_time_sql(tx.get_database_backend()) else { return Ok(None) };
    let row = tx.query_one_raw(Statement::from_string(tx.get_database_backend(), sql)).await?;
    let server_time: DateTimeUtc = row
        .ok_or_else(|| StoreError::Corrupt("the database returned no time".to_owned()))?
        .try_get("", "now")?;
    let skew = (server_time - now).abs();
    Ok((skew > MAX_CLOCK_SKEW).then(|| Fault {
        check: Check::Clock,
        detail: format!(
            "the clocks of this machine and the database differ by {} s",
            skew.num_seconds()
        ),
        remedy: "synchronize both clocks with NTP".to_owned(),
    }))
}
