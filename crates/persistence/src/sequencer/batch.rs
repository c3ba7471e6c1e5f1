//! A batch: takes entries from the queue and appends them to their logs.

use std::{collections::BTreeSet, sync::Arc};

use postern_domain::{
    access,
    actor::Actor,
    clock::RequestContext,
    event::Event,
    id::{EventId, OrgId},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Statement, sea_query::Expr};
use uuid::Uuid;

use super::{append::append, queue, report::BatchReport};
use crate::{
    backend::{Mode, notify_sql, statement, try_sequencer_lock_sql},
    entity::{audit_event, audit_queue, org_unless_nil},
    error::StoreError,
    event_writer,
    store::Store,
    tx::Tx,
};

/// Maximum number of logs in a notification, whose payload has at most 8,000 bytes.
const MAX_NOTIFIED_LOGS: usize = 200;

/// The queue entries that a batch takes.
#[derive(Clone, Copy)]
pub enum BatchScope<'a> {
    /// Entries of all logs except the quarantined ones.
    AllExcept(&'a BTreeSet<Uuid>),
    One(Uuid),
}

impl BatchScope<'_> {
    fn condition(self) -> Expr {
        let log = audit_queue::Column::OrgId;
        match self {
            Self::AllExcept(quarantined) => log.is_not_in(quarantined.iter().copied()),
            Self::One(id) => log.eq(id),
        }
    }
}

/// Sequences a batch. None if another process holds the lock.
pub async fn run(
    store: &Arc<Store>,
    scope: BatchScope<'_>,
    context: &RequestContext,
) -> Result<Option<BatchReport>, StoreError> {
    let audit_keys = Arc::clone(store.audit_keys()?);
    let tx = Tx::begin(store, Mode::Write).await?;
    if !try_lock(&tx).await? {
        return Ok(None);
    }
    let queued = queue::next(&tx, scope.condition()).await?;
    if queued.is_empty() {
        tx.rollback().await?;
        return Ok(Some(BatchReport::default()));
    }
    let ids: Vec<Uuid> = queued.iter().map(|entry| entry.event_id).collect();
    let (by_org, rejected) = queue::authenticate(&tx, &audit_keys, queued, &ids).await?;
    let logs: Vec<Uuid> = by_org.keys().copied().collect();
    let events = by_org.values().map(|entries| entries.len() as u64).sum();
    append(&tx, &audit_keys, by_org, context.now).await?;
    queue::delete(&tx, ids).await?;
    for (org, event) in &rejected {
        reject(&tx, *org, *event, context).await?;
    }
    notify(&tx, &logs).await?;
    tx.commit().await?;
    store.log_notify().notify(&logs);
    let logs = logs.into_iter().map(org_unless_nil).collect();
    Ok(Some(BatchReport { events, logs, rejected, damaged: Vec::new() }))
}

/// Takes the sequencer's lock until the transaction ends. Returns false if another process has it.
async fn try_lock(tx: &Tx) -> Result<bool, StoreError> {
    let backend = tx.get_database_backend();
    let Some(sql) = try_sequencer_lock_sql(backend) else { return Ok(true) };
    let row = tx.query_one_raw(Statement::from_string(backend, sql)).await?;
    Ok(row.map_or(Ok(false), |row| row.try_get("", "taken"))?)
}

/// Notifies the subscribers of other processes when the transaction commits.
async fn notify(tx: &Tx, logs: &[Uuid]) -> Result<(), StoreError> {
    let backend = tx.get_database_backend();
    let Some(sql) = notify_sql(backend) else { return Ok(()) };
    let payload = if logs.len() > MAX_NOTIFIED_LOGS {
        String::new()
    } else {
        logs.iter().map(|org| org.simple().to_string()).collect::<Vec<_>>().join(",")
    };
    tx.execute_raw(statement(backend, sql, [payload.into()])).await?;
    Ok(())
}

/// Records the rejection of a queue entry. Its event, if it exists, gets no leaf.
async fn reject(
    tx: &Tx,
    org: Option<OrgId>,
    event: EventId,
    context: &RequestContext,
) -> Result<(), StoreError> {
    // The entry may refer to any event, or to none.
    let claimed = audit_event::Entity::find_by_id(event.uuid())
        .one(tx)
        .await?
        .and_then(|row| Event::try_from(row).ok());
    let org = claimed.and_then(|event| event.org).filter(|event_org| Some(event_org.id) == org);
    event_writer::write(tx, access::entry_rejected(event), &Actor::System, org, context).await
}
