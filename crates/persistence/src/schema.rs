//! The schema from outside: brought up to date by its owner, and examined by whoever serves from it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use postern_migration::fence::{self, Fault, Raised};
use sea_orm::{ConnectionTrait, DbBackend, Statement, prelude::DateTimeUtc};

use crate::{
    backend::{self, Pool},
    error::StoreError,
    store::{Options, Store},
    tx::{Mode, Tx},
};

/// How far the clocks of server and database may be apart: tokens and time boxes are decided by the server's.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(5);

/// What came of a migration.
#[derive(Debug)]
pub enum Migrated {
    Done,
    /// Roles are missing that the owner of the schema may not make; a database administrator is to run this first.
    NeedsAdministrator {
        sql: String,
    },
}

/// Brings the schema up to date, and on PostgreSQL the wall between tenants, as the owner of the schema.
pub async fn migrate(options: &Options) -> Result<Migrated, StoreError> {
    let as_owner = Options { url: options.owner_url.clone().unwrap_or_else(|| options.url.clone()), ..options.clone() };
    let pool = Pool::connect(&as_owner).await?;
    let done = migrate_with(&pool, options).await;
    pool.close().await;
    done
}

async fn migrate_with(pool: &Pool, options: &Options) -> Result<Migrated, StoreError> {
    let db = pool.as_sea_orm();
    postern_migration::up(&db).await?;
    let Some((roles, password)) = backend::roles(options)? else { return Ok(Migrated::Done) };
    Ok(match fence::raise(&db, &roles, password.as_deref()).await? {
        Raised::Done => Migrated::Done,
        Raised::NeedsAdministrator { sql } => Migrated::NeedsAdministrator { sql },
    })
}

/// Brings an embedded database up to date. On PostgreSQL this is nothing that a server may do: see [`migrate`].
pub async fn prepare(options: &Options) -> Result<(), StoreError> {
    if backend::is_embedded(&options.url) { migrate(options).await.map(drop) } else { Ok(()) }
}

/// All that is not as it has to be: the wall between tenants, the record's triggers, migrations, the clock.
pub async fn examine(store: &Arc<Store>, now: DateTime<Utc>) -> Result<Vec<Fault>, StoreError> {
    // Not as one of the roles that a transaction becomes: perhaps they are what is missing.
    let tx = Tx::begin(store, Mode::Unpinned).await?;
    let mut faults = Vec::new();
    match &store.roles {
        Some(roles) => faults.extend(fence::examine(&tx, roles).await?),
        None => faults.extend(postern_migration::append_only_faults(&tx, fence::APPEND_ONLY).await?.into_iter().map(|name| Fault {
            check: "triggers",
            what: format!("the trigger {name} is missing or altered: rows of the record could be changed unseen"),
            remedy: "restore the file from a backup, and find out who changed it".to_owned(),
        })),
    }
    tx.rollback().await?;
    // What is asked next needs rights, which are there if nothing was found so far.
    if faults.is_empty() {
        let tx = Tx::begin(store, Mode::Read).await?;
        let pending = postern_migration::pending(&tx).await?;
        if !pending.is_empty() {
            let what = format!("{} migration(s) have not been applied: {}", pending.len(), pending.join(", "));
            faults.push(Fault { check: "migrations", what, remedy: "run `postern migrate`".to_owned() });
        }
        faults.extend(clock(&tx, now).await?);
        tx.rollback().await?;
    }
    Ok(faults)
}

/// The file's clock is the server's own.
async fn clock(tx: &Tx, now: DateTime<Utc>) -> Result<Option<Fault>, StoreError> {
    let backend = tx.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(None);
    }
    let row = tx.query_one_raw(Statement::from_string(backend, "SELECT clock_timestamp() AS now")).await?;
    let theirs: DateTimeUtc = row.ok_or_else(|| StoreError::Corrupt("the database tells no time".to_owned()))?.try_get("", "now")?;
    let apart = (theirs - now).abs();
    Ok((apart > CLOCKS_APART).then(|| Fault {
        check: "clock",
        what: format!("this machine's clock and the database's are {} s apart", apart.num_seconds()),
        remedy: "synchronise both with NTP".to_owned(),
    }))
}
