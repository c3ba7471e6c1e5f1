//! The pump: it gives each event its place in the log of its org, in the order of the queue, a batch in a transaction.
//!
//! However many processes try, one pumps at a time: a lock of the database elects it for each batch anew, so that nobody has to notice
//! when another dies. What has not been pumped is still in the queue; what has been is no longer there, since both happen in one
//! transaction (`tests/suite/pump.rs` kills a server at random moments).

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

/// How many events a batch has at the most.
pub const BATCH: u64 = 2_000;

/// What came of a turn.
#[derive(Debug, Default)]
pub struct BatchReport {
    /// How many events were given their place.
    pub events: u64,
    /// Which logs have grown.
    pub logs: Vec<Option<OrgId>>,
    /// Entries of the queue that no server had put there, each with its org's log.
    pub rejected: Vec<(Option<OrgId>, EventId)>,
    /// Logs that nothing can be appended to, and why. They are set aside until [`Sequencer::retry_quarantined`], so that the others go on.
    pub damaged: Vec<(Option<OrgId>, StoreError)>,
}

/// A process that pumps when it is its turn.
pub struct Sequencer {
    store: Arc<Store>,
    quarantined: BTreeSet<Uuid>,
}

/// LogScope entries a batch is made of.
#[derive(Clone, Copy)]
enum BatchScope {
    /// Those of all logs that are not set aside.
    All,
    One(Uuid),
}

impl Sequencer {
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, quarantined: BTreeSet::new() }
    }

    /// Pumps a batch. None where another process is at it.
    pub async fn run_batch(
        &mut self,
        context: &RequestContext,
    ) -> Result<Option<BatchReport>, StoreError> {
        match self.batch(BatchScope::All, context).await {
            Err(StoreError::Conflict(_) | StoreError::Corrupt(_)) => {
                self.each_by_itself(context).await
            }
            done => done,
        }
    }

    /// Those that were set aside get another chance: somebody may have mended them.
    pub fn retry_quarantined(&mut self) {
        self.quarantined.clear();
    }

    /// How many logs are set aside.
    #[must_use]
    pub fn quarantined_count(&self) -> usize {
        self.quarantined.len()
    }

    /// Pumps log by log, and sets aside those that cannot be appended to.
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
                // Another process has taken over, or something else is wrong, which the next turn meets: what was done is told all the same.
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
        let these = match scope {
            BatchScope::All => {
                audit_queue::Column::OrgId.is_not_in(self.quarantined.iter().copied())
            }
            BatchScope::One(log) => audit_queue::Column::OrgId.eq(log),
        };
        let queued = audit_queue::Entity::find()
            .filter(these)
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
        let (taken, of) = (
            audit_queue::Entity::delete_many()
                .filter(audit_queue::Column::EventId.is_in(ids.clone()))
                .exec(&tx)
                .await?,
            ids.len(),
        );
        if taken.rows_affected != of as u64 {
            // SQLite keeps any kind of value in any column; what cannot be taken out would come again for ever.
            return Err(StoreError::Corrupt(
                "the queue has rows that no server has written, and that cannot be taken out"
                    .to_owned(),
            ));
        }
        for (org, event) in &rejected {
            refuse(&tx, *org, *event, context).await?;
        }
        if let Some(sql) = notify_sql(backend) {
            // A notice has at most 8,000 bytes.
            let many = logs.len() > 200;
            let told = if many {
                String::new()
            } else {
                logs.iter().map(|org| org.simple().to_string()).collect::<Vec<_>>().join(",")
            };
            tx.execute_raw(statement(backend, sql, [told.into()])).await?;
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

/// When the oldest event happened that has no place in its log yet, and how many there are.
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

/// What a server has queued, by org, and what nobody has: with another seal, or a second time.
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

/// Appends to each org's log, and signs what it has come to.
async fn append(
    tx: &Tx,
    audit_keys: &AuditKeys,
    by_org: BTreeMap<Uuid, Vec<(Uuid, Hash)>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (mut leaves, mut nodes, mut checkpoints) = (Vec::new(), Vec::new(), Vec::new());
    for (org_id, entries) in by_org {
        // Read each time: the database may have gone back to a state from before, where a standby took over.
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

/// Somebody wrote into the queue who is no server of ours. It is taken out and told; the event, if there is one, gets no place in the log.
async fn refuse(
    tx: &Tx,
    org: Option<OrgId>,
    event: EventId,
    context: &RequestContext,
) -> Result<(), StoreError> {
    // What was put there may be anything.
    let claimed = audit_event::Entity::find_by_id(event.uuid())
        .one(tx)
        .await?
        .and_then(|row| Event::try_from(row).ok());
    let org = claimed.and_then(|event| event.org).filter(|one| Some(one.id) == org);
    let target = Target::new(TargetType::Event, event, "an entry of the queue");
    let draft = EventDraft::new(
        Action::AuditEntryRejected,
        target,
        "found an entry in the queue of the log that no server had put there",
    )
    .with_outcome(Outcome::Denied);
    event_writer::write(tx, draft, &Actor::System, org, context).await
}
