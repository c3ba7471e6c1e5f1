//! Writes the audit log. [`crate::repository::events`] reads it, and [`crate::sequencer`] builds
//! the transparency log from it.

use postern_audit_log::{
    commitment::{CommitmentSalts, SALTS},
    event::CanonicalEvent,
};
use postern_domain::{
    actor::Actor,
    clock::RequestContext,
    event::{Event, EventOrg},
    event_draft::EventDraft,
};
use postern_keystore::{AuditKeys, random};
use postern_tlog::Hash;
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, sea_query::Query,
};
use uuid::Uuid;

use crate::{
    entity::{audit_event, audit_leaf, audit_queue},
    error::StoreError,
    tx::Tx,
};

/// Inserts the event of a draft and its queue entry, in the transaction of the recorded change.
pub async fn write(
    tx: &Tx,
    draft: EventDraft,
    actor: &Actor,
    org: Option<EventOrg>,
    context: &RequestContext,
) -> Result<(), StoreError> {
    let audit_keys = tx.store().audit_keys()?;
    let event = Event::of(draft, context.id(), context.now, actor, org, context.source.clone());
    let salts = CommitmentSalts::new(random::bytes::<SALTS>()?);
    let row = audit_event::Model::of(event, &salts);
    let (id, queued) = (row.id, queue_entry(audit_keys, &row)?);
    tx.insert_event(
        id,
        audit_queue::Entity::insert(queued.into_active_model()).into_query(),
        audit_event::Entity::insert(row.into_active_model()).into_query(),
    )
    .await
}

/// Queues the events that SQL has inserted into the log of an org. Returns their number.
pub async fn backfill_org(tx: &Tx, org: Uuid) -> Result<u64, StoreError> {
    backfill(tx, audit_event::Entity::find().filter(audit_event::Column::OrgId.eq(org))).await
}

/// Queues all events that are neither queued nor in a log: a server may be running already.
/// Returns their number.
pub async fn backfill_all(tx: &Tx) -> Result<u64, StoreError> {
    let sequenced =
        Query::select().column(audit_leaf::Column::EventId).from(audit_leaf::Entity).take();
    let queued =
        Query::select().column(audit_queue::Column::EventId).from(audit_queue::Entity).take();
    let id = audit_event::Column::Id;
    backfill(
        tx,
        audit_event::Entity::find()
            .filter(id.not_in_subquery(sequenced))
            .filter(id.not_in_subquery(queued)),
    )
    .await
}

/// Rows per statement. A row has four values, and SQLite allows 32,766 per statement.
const ROWS: u64 = 4_000;

async fn backfill(tx: &Tx, events: Select<audit_event::Entity>) -> Result<u64, StoreError> {
    let audit_keys = tx.store().audit_keys()?;
    let (mut after, mut total) = (Uuid::nil(), 0);
    loop {
        let next = events
            .clone()
            .filter(audit_event::Column::Id.gt(after))
            .order_by_asc(audit_event::Column::Id)
            .limit(ROWS);
        let rows = next.all(tx).await?;
        let Some(last) = rows.last() else { return Ok(total) };
        (after, total) = (last.id, total + rows.len() as u64);
        let queued: Result<Vec<_>, StoreError> =
            rows.iter().map(|row| Ok(queue_entry(audit_keys, row)?.into_active_model())).collect();
        audit_queue::Entity::insert_many(queued?).exec_without_returning(tx).await?;
    }
}

fn queue_entry(
    audit_keys: &AuditKeys,
    row: &audit_event::Model,
) -> Result<audit_queue::Model, StoreError> {
    let leaf = Hash::of_leaf(&entry(row)?);
    let org_id = row.org_id.unwrap_or_default();
    let mac = audit_keys.mac(org_id, row.id, leaf);
    Ok(audit_queue::Model { org_id, event_id: row.id, leaf: leaf.0.to_vec(), mac })
}

/// An event as JSON, as the API returns it.
pub fn to_json(row: &audit_event::Model) -> Result<String, StoreError> {
    serde_json::to_string(&Event::try_from(row.clone())?)
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// The log entry of an event, built from its JSON as any reader of the event builds it.
pub fn entry(row: &audit_event::Model) -> Result<Vec<u8>, StoreError> {
    let json = to_json(row)?;
    let event =
        CanonicalEvent::parse(&json).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(event.entry(&row.salts()?))
}

/// Leaf hash of a queue entry; `None` if its MAC is invalid.
pub fn verified_leaf(audit_keys: &AuditKeys, entry: &audit_queue::Model) -> Option<Hash> {
    let leaf = Hash(entry.leaf.as_slice().try_into().ok()?);
    audit_keys.verify_mac(entry.org_id, entry.event_id, leaf, &entry.mac).then_some(leaf)
}
