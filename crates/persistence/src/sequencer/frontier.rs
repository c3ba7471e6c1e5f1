//! The right edge of a log's tree, which the next entries are appended to.

use postern_tlog::{Checkpoint, Frontier};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    entity::{audit_checkpoint, org_unless_nil},
    error::StoreError,
    repository::log::{hash, natural},
    tx::Tx,
};

/// The tree of an org as needed to append to it. Fails unless it matches its signed checkpoint:
/// nothing is appended to a tree that was changed in the database.
pub async fn load(tx: &Tx, org: Uuid) -> Result<Frontier, StoreError> {
    use audit_checkpoint::Column as C;
    let newest = audit_checkpoint::Entity::find()
        .filter(C::OrgId.eq(org))
        .order_by_desc(C::Size)
        .one(tx)
        .await?;
    let Some(row) = newest else { return Ok(Frontier::default()) };
    let roots = row.frontier.chunks(32).map(hash).collect::<Result<_, _>>()?;
    let audit_keys = tx.store().audit_keys()?;
    let origin = audit_keys.origin(org_unless_nil(org));
    let frontier = Frontier::resume(natural(row.size)?, roots).filter(|frontier| {
        let tree =
            Checkpoint { origin: origin.clone(), size: frontier.size(), root: frontier.root() };
        audit_keys.has_signed(&row.note, &tree)
    });
    frontier.ok_or_else(|| {
        StoreError::Corrupt(format!(
            "the latest checkpoint of {origin} does not match its signature: \
             the database was changed"
        ))
    })
}

/// A frontier as stored.
pub fn to_bytes(frontier: &Frontier) -> Vec<u8> {
    frontier.roots().iter().flat_map(|root| root.0).collect()
}
