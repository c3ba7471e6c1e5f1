//! The sequencer: gives each event its index in the log of its org, in queue order, one batch per
//! transaction.
//!
//! Any number of processes may try; a database lock elects one for each batch, so no process has
//! to detect that another died. Events leave the queue in the transaction that appends them to
//! the log (`tests/suite/sequencer.rs` kills a server at random moments).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use postern_domain::{
    Id,
    action::Action,
    actor::Actor,
    clock::RequestContext,
    event::{Event, EventDraft, Outcome, Target, TargetType},
    id::{EventId, OrgId},
};
use postern_tlog::{Checkpoint, Hash};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use uuid::Uuid;

use crate::{
    audit_keys::AuditKeys,
    backend::{notify_sql, try_sequencer_lock_sql},
    entity::{audit_checkpoint, audit_event, audit_leaf, audit_node, audit_queue, org_unless_nil},
    error::StoreError,
    event_writer,
    repository::log::{self, LEVELS},
    store::{Store, statement},
    tx::{Mode, Tx},
};

/// Maximum number of events per batch.
pub const BATCH: u64 = 2_000;

/// Result of one batch.
#[derive(Debug, Default)]
pub struct BatchReport {
    /// Number of events that were sequenced.
    pub events: u64,
    /// Logs that have new entries.
    pub logs: Vec<Option<OrgId>>,
    /// Queue entries with an invalid MAC or an event that is already in the log, each with its log.
    pub rejected: Vec<(Option<OrgId>, EventId)>,
    /// Logs that cannot be appended to, with the cause. They are quarantined until
    /// [`Sequencer::retry_quarantined`], so that other logs continue.
    pub damaged: Vec<(Option<OrgId>, StoreError)>,
}

/// Sequences batches while this process holds the lock.
pub struct Sequencer {
    store: Arc<Store>,
    quarantined: BTreeSet<Uuid>,
}

/// The queue entries that a batch takes.
#[derive(Clone, Copy)]
enum BatchScope {
    /// Entries of all logs that are not quarantined.
    All,
    One(Uuid),
}

impl Sequencer {
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, quarantined: BTreeSet::new() }
    }

    /// Sequences a batch. None if another process holds the lock.
    pub async fn run_batch(
        &mut self,
        context: &RequestContext,
    ) -> Result<Option<BatchReport>, StoreError> {
        match self.batch(BatchScope::All, context).await {
            Err(StoreError::Conflict(_) | StoreError::Corrupt(_)) => {
                self.each_by_itself(context).await
            }
            result => result,
        }
    }

    /// Tries quarantined logs again with the next batch, as they may have been repaired.
    pub fn retry_quarantined(&mut self) {
        self.quarantined.clear();
    }

    /// Number of quarantined logs.
    #[must_use]
    pub fn quarantined_count(&self) -> usize {
        self.quarantined.len()
    }

    /// Sequences log by log, and quarantines logs that cannot be appended to.
    async fn each_by_itself(
        &mut self,
        context: &RequestContext,
    ) -> Result<Option<BatchReport>, StoreError> {
        let tx = Tx::begin(&self.store, Mode::Read).await?;
        let mut logs =
            audit_queue::Entity::find().select_only().column(audit_queue::Column::OrgId).distinct();
        logs = logs.filter(audit_queue::Column::OrgId.is_not_in(self.quarantined.iter().copied()));
        let logs: Vec<Uuid> = logs.into_tuple().all(&tx).await?;
        tx.rollback().await?;
        let mut all = BatchReport::default();
        for log in logs {
            match self.batch(BatchScope::One(log), context).await {
                Ok(Some(BatchReport { events, logs, rejected, damaged: _ })) => {
                    all.events += events;
                    all.logs.extend(logs);
                    all.rejected.extend(rejected);
                }
                Err(error @ (StoreError::Conflict(_) | StoreError::Corrupt(_))) => {
                    self.quarantined.insert(log);
                    all.damaged.push((org_unless_nil(log), error));
                }
                Err(error) if all.damaged.is_empty() => return Err(error),
                // Another process has the lock, or the next batch will meet the error again.
                // Completed work is reported in any case.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(Some(all))
    }

    async fn batch(
        &self,
        scope: BatchScope,
        context: &RequestContext,
    ) -> Result<Option<BatchReport>, StoreError> {
        let audit_keys = Arc::clone(self.store.audit_keys()?);
        let tx = Tx::begin(&self.store, Mode::Write).await?;
        let backend = tx.get_database_backend();
        if let Some(sql) = try_sequencer_lock_sql(backend) {
            let row = tx.query_one_raw(Statement::from_string(backend, sql)).await?;
            if !row.map_or(Ok(false), |row| row.try_get("", "taken"))? {
                return Ok(None);
            }
        }
        let entries = match scope {
            BatchScope::All => {
                audit_queue::Column::OrgId.is_not_in(self.quarantined.iter().copied())
            }
            BatchScope::One(log) => audit_queue::Column::OrgId.eq(log),
        };
        let queued = audit_queue::Entity::find()
            .filter(entries)
            .order_by_asc(audit_queue::Column::EventId)
            .limit(BATCH)
            .all(&tx)
            .await?;
        if queued.is_empty() {
            tx.rollback().await?;
            return Ok(Some(BatchReport::default()));
        }
        let ids: Vec<Uuid> = queued.iter().map(|entry| entry.event_id).collect();
        let (by_org, rejected) = sort(&tx, &audit_keys, queued, &ids).await?;
        let logs: Vec<Uuid> = by_org.keys().copied().collect();
        let events = by_org.values().map(|entries| entries.len() as u64).sum();
        append(&tx, &audit_keys, by_org, context.now).await?;
        let (deleted, expected) = (
            audit_queue::Entity::delete_many()
                .filter(audit_queue::Column::EventId.is_in(ids.clone()))
                .exec(&tx)
                .await?,
            ids.len(),
        );
        if deleted.rows_affected != expected as u64 {
            // SQLite stores any type in any column; a row that is not deleted would return forever.
            return Err(StoreError::Corrupt(
                "the audit queue has rows that no server wrote and that cannot be deleted"
                    .to_owned(),
            ));
        }
        for (org, event) in &rejected {
            refuse(&tx, *org, *event, context).await?;
        }
        if let Some(sql) = notify_sql(backend) {
            // A notification payload has at most 8,000 bytes.
            let many = logs.len() > 200;
            let payload = if many {
                String::new()
            } else {
                logs.iter().map(|org| org.simple().to_string()).collect::<Vec<_>>().join(",")
            };
            tx.execute_raw(statement(backend, sql, [payload.into()])).await?;
        }
        tx.commit().await?;
        self.store.log_notify().notify(&logs);
        Ok(Some(BatchReport {
            events,
            logs: logs.into_iter().map(org_unless_nil).collect(),
            rejected,
            damaged: Vec::new(),
        }))
    }
}

/// Number of queued events, and the time of the oldest.
pub async fn waiting(store: &Arc<Store>) -> Result<(u64, Option<DateTime<Utc>>), StoreError> {
    let tx = Tx::begin(store, Mode::Read).await?;
    let oldest =
        audit_queue::Entity::find().order_by_asc(audit_queue::Column::EventId).one(&tx).await?;
    let backend = tx.get_database_backend();
    let row = tx
        .query_one_raw(Statement::from_string(
            backend,
            "SELECT count(*) AS waiting FROM audit_queue",
        ))
        .await?;
    let waiting: i64 = row.map_or(Ok(0), |row| row.try_get("", "waiting"))?;
    Ok((u64::try_from(waiting).unwrap_or(0), oldest.and_then(|entry| made_at(entry.event_id))))
}

fn made_at(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
}

type Sorted = (BTreeMap<Uuid, Vec<(Uuid, Hash)>>, Vec<(Option<OrgId>, EventId)>);

/// Splits queue entries into genuine ones, by org, and rejected ones: with an invalid MAC or an
/// event that is already in the log.
async fn sort(
    tx: &Tx,
    audit_keys: &AuditKeys,
    queued: Vec<audit_queue::Model>,
    ids: &[Uuid],
) -> Result<Sorted, StoreError> {
    let mut orgs: Vec<Uuid> = queued.iter().map(|entry| entry.org_id).collect();
    orgs.sort_unstable();
    orgs.dedup();
    let placed = audit_leaf::Entity::find()
        .select_only()
        .column(audit_leaf::Column::EventId)
        .filter(audit_leaf::Column::OrgId.is_in(orgs))
        .filter(audit_leaf::Column::EventId.is_in(ids.iter().copied()))
        .into_tuple::<Uuid>()
        .all(tx)
        .await?;
    let (mut by_org, mut rejected): Sorted = (BTreeMap::new(), Vec::new());
    for entry in queued {
        match event_writer::is_genuine(audit_keys, &entry)
            .filter(|_| !placed.contains(&entry.event_id))
        {
            Some(leaf) => by_org.entry(entry.org_id).or_default().push((entry.event_id, leaf)),
            None => rejected.push((org_unless_nil(entry.org_id), Id::new(entry.event_id))),
        }
    }
    Ok((by_org, rejected))
}

/// Appends to each org's log and signs its new checkpoint.
async fn append(
    tx: &Tx,
    audit_keys: &AuditKeys,
    by_org: BTreeMap<Uuid, Vec<(Uuid, Hash)>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (mut leaves, mut nodes, mut checkpoints) = (Vec::new(), Vec::new(), Vec::new());
    for (org_id, entries) in by_org {
        // Read for each batch: a failover to a standby may have lost the last transactions.
        let mut frontier = log::frontier(tx, org_id).await?;
        for (event_id, leaf) in entries {
            for node in frontier.append(leaf) {
                let (level, index) = (node.level, log::number(node.index)?);
                if level == 0 {
                    leaves.push(
                        audit_leaf::Model {
                            org_id,
                            leaf_index: index,
                            event_id,
                            hash: leaf.0.to_vec(),
                        }
                        .into_active_model(),
                    );
                } else if level % LEVELS == 0 {
                    let level = i16::from(level / LEVELS);
                    nodes.push(
                        audit_node::Model {
                            org_id,
                            level,
                            node_index: index,
                            hash: node.hash.0.to_vec(),
                        }
                        .into_active_model(),
                    );
                }
            }
        }
        let origin = audit_keys.origin(org_unless_nil(org_id));
        let note = audit_keys.sign(&Checkpoint {
            origin,
            size: frontier.size(),
            root: frontier.root(),
        })?;
        let (size, kept) = (log::number(frontier.size())?, log::frontier_bytes(&frontier));
        checkpoints.push(
            audit_checkpoint::Model { org_id, size, note, frontier: kept, made_at: now }
                .into_active_model(),
        );
    }
    if leaves.is_empty() {
        return Ok(());
    }
    audit_leaf::Entity::insert_many(leaves).exec_without_returning(tx).await?;
    if !nodes.is_empty() {
        audit_node::Entity::insert_many(nodes).exec_without_returning(tx).await?;
    }
    audit_checkpoint::Entity::insert_many(checkpoints).exec_without_returning(tx).await?;
    Ok(())
}

/// Records the rejection of a queue entry. Its event, if it exists, gets no leaf.
async fn refuse(
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
    let target = Target::new(TargetType::Event, event, "audit queue entry");
    let draft = EventDraft::new(
        Action::AuditEntryRejected,
        target,
        "rejected an unauthenticated entry in the audit queue",
    )
    .with_outcome(Outcome::Denied);
    event_writer::write(tx, draft, &Actor::System, org, context).await
}
