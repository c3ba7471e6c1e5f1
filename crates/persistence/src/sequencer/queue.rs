//! The queue of events that have no leaf yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use postern_domain::{
    Id,
    id::{EventId, OrgId},
};
use postern_keystore::AuditKeys;
use postern_tlog::Hash;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    backend::Mode,
    entity::{audit_leaf, audit_queue, org_unless_nil},
    error::StoreError,
    event_writer,
    store::Store,
    tx::Tx,
};

/// Maximum number of events per batch.
pub const BATCH: u64 = 2_000;

/// Events to append with their leaf hashes, by org.
pub type ByOrg = BTreeMap<Uuid, Vec<(Uuid, Hash)>>;

/// Number of queued events, and the time of the oldest.
pub async fn pending(store: &Arc<Store>) -> Result<(u64, Option<DateTime<Utc>>), StoreError> {
    let tx = Tx::begin(store, Mode::Read).await?;
    let oldest =
        audit_queue::Entity::find().order_by_asc(audit_queue::Column::EventId).one(&tx).await?;
    let backend = tx.get_database_backend();
    let row = tx
        .query_one_raw(Statement::from_string(
            backend,
            "SELECT count(*) AS pending FROM audit_queue",
        ))
        .await?;
    let pending: i64 = row.map_or(Ok(0), |row| row.try_get("", "pending"))?;
    Ok((u64::try_from(pending).unwrap_or(0), oldest.and_then(|entry| created_at(entry.event_id))))
}

/// Time in a UUIDv7.
fn created_at(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
}

/// Logs with queued events, except the quarantined ones.
pub async fn logs_except(
    store: &Arc<Store>,
    quarantined: &BTreeSet<Uuid>,
) -> Result<Vec<Uuid>, StoreError> {
    let tx = Tx::begin(store, Mode::Read).await?;
    let logs = audit_queue::Entity::find()
        .select_only()
        .column(audit_queue::Column::OrgId)
        .distinct()
        .filter(audit_queue::Column::OrgId.is_not_in(quarantined.iter().copied()))
        .into_tuple()
        .all(&tx)
        .await?;
    tx.rollback().await?;
    Ok(logs)
}

/// The next entries that meet the condition, oldest first.
pub async fn next(tx: &Tx, condition: Expr) -> Result<Vec<audit_queue::Model>, StoreError> {
    Ok(audit_queue::Entity::find()
        .filter(condition)
        .order_by_asc(audit_queue::Column::EventId)
        .limit(BATCH)
        .all(tx)
        .await?)
}

/// Splits queue entries into genuine ones, by org, and rejected ones: with an invalid MAC or an
/// event that is already in the log.
pub async fn authenticate(
    tx: &Tx,
    audit_keys: &AuditKeys,
    queued: Vec<audit_queue::Model>,
    ids: &[Uuid],
) -> Result<(ByOrg, Vec<(Option<OrgId>, EventId)>), StoreError> {
    let mut orgs: Vec<Uuid> = queued.iter().map(|entry| entry.org_id).collect();
    orgs.sort_unstable();
    orgs.dedup();
    let sequenced = audit_leaf::Entity::find()
        .select_only()
        .column(audit_leaf::Column::EventId)
        .filter(audit_leaf::Column::OrgId.is_in(orgs))
        .filter(audit_leaf::Column::EventId.is_in(ids.iter().copied()))
        .into_tuple::<Uuid>()
        .all(tx)
        .await?;
    let (mut by_org, mut rejected) = (ByOrg::new(), Vec::new());
    for entry in queued {
        match event_writer::verified_leaf(audit_keys, &entry)
            .filter(|_| !sequenced.contains(&entry.event_id))
        {
            Some(leaf) => by_org.entry(entry.org_id).or_default().push((entry.event_id, leaf)),
            None => rejected.push((org_unless_nil(entry.org_id), Id::new(entry.event_id))),
        }
    }
    Ok((by_org, rejected))
}

/// Deletes the entries of these events.
pub async fn delete(tx: &Tx, ids: Vec<Uuid>) -> Result<(), StoreError> {
    let expected = ids.len() as u64;
    let deleted = audit_queue::Entity::delete_many()
        .filter(audit_queue::Column::EventId.is_in(ids))
        .exec(tx)
        .await?;
    if deleted.rows_affected == expected {
        return Ok(());
    }
    // SQLite stores any type in any column; a row that is not deleted would return forever.
    Err(StoreError::Corrupt(
        "the audit queue has rows that no server wrote and that cannot be deleted".to_owned(),
    ))
}
