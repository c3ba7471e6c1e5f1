//! Appends events to the logs of their orgs.

use chrono::{DateTime, Utc};
use postern_keystore::AuditKeys;
use postern_tlog::{Checkpoint, Frontier, Hash};
use sea_orm::{EntityTrait, IntoActiveModel};
use uuid::Uuid;

use super::{frontier, queue::ByOrg};
use crate::{
    entity::{audit_checkpoint, audit_leaf, audit_node, org_unless_nil},
    error::StoreError,
    repository::log::{LEVELS, number},
    tx::Tx,
};

/// Rows of the leaves and nodes that a batch adds.
#[derive(Default)]
struct NewRows {
    leaves: Vec<audit_leaf::ActiveModel>,
    nodes: Vec<audit_node::ActiveModel>,
}

/// Appends to each org's log and signs its new checkpoint.
pub async fn append(
    tx: &Tx,
    audit_keys: &AuditKeys,
    by_org: ByOrg,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (mut rows, mut checkpoints) = (NewRows::default(), Vec::new());
    for (org_id, entries) in by_org {
        // Read for each batch: a failover to a standby may have lost the last transactions.
        let mut frontier = frontier::load(tx, org_id).await?;
        for (event_id, leaf) in entries {
            rows.append(&mut frontier, org_id, event_id, leaf)?;
        }
        checkpoints.push(checkpoint(audit_keys, org_id, &frontier, now)?.into_active_model());
    }
    let NewRows { leaves, nodes } = rows;
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

impl NewRows {
    /// Adds the leaf of an event, and the nodes that it completes in every eighth level.
    fn append(
        &mut self,
        frontier: &mut Frontier,
        org_id: Uuid,
        event_id: Uuid,
        leaf: Hash,
    ) -> Result<(), StoreError> {
        for node in frontier.append(leaf) {
            let (level, index) = (node.level, number(node.index)?);
            if level == 0 {
                let hash = leaf.0.to_vec();
                let row = audit_leaf::Model { org_id, leaf_index: index, event_id, hash };
                self.leaves.push(row.into_active_model());
            } else if level % LEVELS == 0 {
                let (level, hash) = (i16::from(level / LEVELS), node.hash.0.to_vec());
                let row = audit_node::Model { org_id, level, node_index: index, hash };
                self.nodes.push(row.into_active_model());
            }
        }
        Ok(())
    }
}

fn checkpoint(
    audit_keys: &AuditKeys,
    org_id: Uuid,
    frontier: &Frontier,
    now: DateTime<Utc>,
) -> Result<audit_checkpoint::Model, StoreError> {
    let origin = audit_keys.origin(org_unless_nil(org_id));
    let tree = Checkpoint { origin, size: frontier.size(), root: frontier.root() };
    Ok(audit_checkpoint::Model {
        org_id,
        size: number(frontier.size())?,
        note: audit_keys.sign(&tree)?,
        frontier: frontier::to_bytes(frontier),
        created_at: now,
    })
}
