//! The Merkle log of one org, or of the platform: what it has come to, its hashes, and where an event stands in it.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use postern_domain::id::{EventId, OrgId};
use postern_tlog::{Checkpoint, Frontier, Hash, ProofError, Tile, inclusion};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    entity::{audit_checkpoint, audit_leaf, audit_node, org_or_nil, org_unless_nil},
    error::StoreError,
    tx::Tx,
};

/// How many levels of a tree a tile stands over.
pub(crate) const LEVELS: u8 = 8;

pub struct Log<'a> {
    tx: &'a Tx,
    org: Option<OrgId>,
}

/// What a log has come to.
#[derive(Debug, Clone)]
pub struct Head {
    pub size: u64,
    /// The checkpoint as a signed note.
    pub note: String,
}

impl<'a> Log<'a> {
    pub(crate) const fn of(tx: &'a Tx, org: Option<OrgId>) -> Self {
        Self { tx, org }
    }

    /// The name of the log.
    pub fn origin(&self) -> Result<String, StoreError> {
        Ok(self.tx.store().audit_keys()?.origin(self.org))
    }

    /// The keys that its checkpoints are signed with.
    pub fn keys(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.tx.store().audit_keys()?.verifiers(&self.origin()?))
    }

    /// The newest checkpoint; that of an empty log, where nothing has been pumped yet.
    pub async fn head(&self) -> Result<Head, StoreError> {
        use audit_checkpoint::Column as C;
        let newest = audit_checkpoint::Entity::find()
            .filter(C::OrgId.eq(org_or_nil(self.org)))
            .order_by_desc(C::Size)
            .one(self.tx)
            .await?;
        if let Some(row) = newest {
            // Where a key has come since, it signs as well.
            return Ok(Head {
                size: natural(row.size)?,
                note: self
                    .tx
                    .store()
                    .audit_keys()?
                    .with_current_signatures(&self.origin()?, row.note),
            });
        }
        let empty = Checkpoint { origin: self.origin()?, size: 0, root: Hash::of_nothing() };
        Ok(Head { size: 0, note: self.tx.store().audit_keys()?.sign(&empty)? })
    }

    /// Checkpoints that the log has had, at most about so many and evenly spread, the smallest first.
    pub async fn history(&self, size: u64, at_most: u64) -> Result<Vec<String>, StoreError> {
        use audit_checkpoint::Column as C;
        let (audit_keys, origin) = (self.tx.store().audit_keys()?, self.origin()?);
        let step = size.div_ceil(at_most.max(1)).max(1);
        let mut notes = Vec::new();
        // The last of each step: one short look into the key for each.
        let mut below = step;
        while below <= size {
            let found = audit_checkpoint::Entity::find()
                .filter(C::OrgId.eq(org_or_nil(self.org)))
                .filter(C::Size.gt(number(below - step)?))
                .filter(C::Size.lte(number(below)?))
                .order_by_desc(C::Size)
                .one(self.tx)
                .await?;
            notes.extend(found.map(|row| audit_keys.with_current_signatures(&origin, row.note)));
            below += step;
        }
        Ok(notes)
    }

    /// Where an event stands.
    pub async fn leaf_of(&self, event: EventId) -> Result<Option<(u64, Hash)>, StoreError> {
        let row = audit_leaf::Entity::find()
            .filter(audit_leaf::Column::OrgId.eq(org_or_nil(self.org)))
            .filter(audit_leaf::Column::EventId.eq(event.uuid()))
            .one(self.tx)
            .await?;
        row.map(|row| Ok((natural(row.leaf_index)?, hash(&row.hash)?))).transpose()
    }

    /// The events that stand from `first` on, at most so many, each with its leaf; fewer where the log has been damaged.
    pub async fn leaves(&self, first: u64, count: u64) -> Result<Vec<Leaf>, StoreError> {
        use audit_leaf::Column as C;
        let rows = audit_leaf::Entity::find()
            .filter(C::OrgId.eq(org_or_nil(self.org)))
            .filter(C::LeafIndex.gte(number(first)?))
            .filter(C::LeafIndex.lt(number(first + count)?))
            .order_by_asc(C::LeafIndex)
            .all(self.tx)
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Leaf {
                    index: natural(row.leaf_index)?,
                    event: row.event_id,
                    hash: hash(&row.hash)?,
                })
            })
            .collect()
    }

    /// The hashes of a tile. None where the log has no such tile, or not as wide a one.
    pub async fn tile(&self, tile: Tile) -> Result<Option<Vec<Hash>>, StoreError> {
        let (first, width) = (tile.index.saturating_mul(256), u64::from(tile.width));
        if i64::try_from(first.saturating_add(width)).is_err() {
            return Ok(None);
        }
        let hashes: Vec<Hash> = if tile.level == 0 {
            self.leaves(first, width).await?.into_iter().map(|leaf| leaf.hash).collect()
        } else {
            use audit_node::Column as C;
            let rows = audit_node::Entity::find()
                .filter(C::OrgId.eq(org_or_nil(self.org)))
                .filter(C::Level.eq(i16::from(tile.level)))
                .filter(C::NodeIndex.gte(number(first)?))
                .filter(C::NodeIndex.lt(number(first + width)?))
                .order_by_asc(C::NodeIndex)
                .all(self.tx)
                .await?;
            rows.iter().map(|row| hash(&row.hash)).collect::<Result<_, _>>()?
        };
        Ok((hashes.len() as u64 == width).then_some(hashes))
    }

    /// The hashes that show that entry `index` is in the tree of `size` entries. None where there is no such entry.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        self.proof(size, |node| inclusion(node, index, size)).await
    }

    /// For each run of entries, given as its first and the one behind its last, the roots of perfect subtrees that stand over it, the fewest that
    /// do. None where the log has been damaged.
    pub async fn covers(
        &self,
        runs: &[(u64, u64)],
        size: u64,
    ) -> Result<Vec<Option<Cover>>, StoreError> {
        let wanted: Vec<Vec<(u8, u64)>> =
            runs.iter().map(|(first, end)| subtrees(*first, *end)).collect();
        let known = self.nodes(&wanted.concat(), size).await?;
        let found = |(level, index)| known.get(&(level, index)).map(|hash| (level, index, *hash));
        Ok(wanted.into_iter().map(|nodes| nodes.into_iter().map(found).collect()).collect())
    }

    /// Makes a proof twice: first to see which nodes it needs, then with those.
    async fn proof<P>(&self, size: u64, make: P) -> Result<Option<Vec<Hash>>, StoreError>
    where
        P: Fn(&dyn Fn(u8, u64) -> Option<Hash>) -> Result<Vec<Hash>, ProofError>,
    {
        let wanted = std::cell::RefCell::new(Vec::new());
        let noting = |level, index| {
            wanted.borrow_mut().push((level, index));
            Some(Hash::of_nothing())
        };
        if make(&noting).is_err() {
            return Ok(None);
        }
        let known = self.nodes(&wanted.into_inner(), size).await?;
        let proof = make(&|level, index| known.get(&(level, index)).copied());
        proof
            .map(Some)
            .map_err(|error| StoreError::Corrupt(format!("the log of {:?}: {error}", self.org)))
    }

    /// Nodes by level and index, out of the tiles that they stand in, without those that the log has lost.
    async fn nodes(
        &self,
        wanted: &[(u8, u64)],
        size: u64,
    ) -> Result<HashMap<(u8, u64), Hash>, StoreError> {
        let mut tiles: BTreeMap<Tile, Vec<Hash>> = BTreeMap::new();
        let mut known = HashMap::new();
        for &(level, index) in wanted {
            let (tile, first, count) =
                Tile::with_node(level, index, size).ok_or_else(|| damaged(level, index))?;
            let hashes = match tiles.entry(tile) {
                Entry::Occupied(read) => read.into_mut(),
                Entry::Vacant(unread) => unread.insert(match self.tile(tile).await {
                    Err(StoreError::Corrupt(_)) => Vec::new(),
                    read => read?.unwrap_or_default(),
                }),
            };
            known.extend(Tile::node(hashes, first, count).map(|hash| ((level, index), hash)));
        }
        Ok(known)
    }
}

/// Roots of perfect subtrees, by level and index.
pub type Cover = Vec<(u8, u64, Hash)>;

/// An entry of a log, by what the log knows of it.
#[derive(Debug, Clone, Copy)]
pub struct Leaf {
    pub index: u64,
    pub event: Uuid,
    pub hash: Hash,
}

/// The perfect subtrees, by level and index, that stand over exactly the entries from `first` to before `end`.
fn subtrees(mut first: u64, end: u64) -> Vec<(u8, u64)> {
    let mut found = Vec::new();
    while first < end {
        let aligned = if first == 0 { 63 } else { first.trailing_zeros() };
        let fitting = (end - first).ilog2();
        let level = aligned.min(fitting);
        found.push((u8::try_from(level).expect("less than 64"), first >> level));
        first += 1 << level;
    }
    found
}

fn damaged(level: u8, index: u64) -> StoreError {
    StoreError::Corrupt(format!("the log lacks its node {index} of level {level}"))
}

/// The tree of an org as far as whoever appends to it has to know it, if it is what was signed: on what somebody has put into the database nothing
/// is built.
pub(crate) async fn frontier(tx: &Tx, org: Uuid) -> Result<Frontier, StoreError> {
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
            "the newest checkpoint of {origin} is not what was signed: somebody has changed it"
        ))
    })
}

/// A tree's right edge as it is kept.
pub(crate) fn frontier_bytes(frontier: &Frontier) -> Vec<u8> {
    frontier.roots().iter().flat_map(|root| root.0).collect()
}

fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes.try_into().map(Hash).map_err(|_| StoreError::Corrupt("a hash of the log".to_owned()))
}

/// A number of the log as the database keeps it.
pub(crate) fn number(index: u64) -> Result<i64, StoreError> {
    i64::try_from(index)
        .map_err(|_| StoreError::Broken("a log has less than 2^63 entries".to_owned()))
}

fn natural(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number)
        .map_err(|_| StoreError::Corrupt("a number of the log is negative".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::subtrees;

    #[test]
    fn subtrees_stand_over_what_they_have_to() {
        for first in 0..70 {
            for end in first..70 {
                let covered: Vec<u64> = subtrees(first, end)
                    .iter()
                    .flat_map(|(level, index)| (index << level)..((index + 1) << level))
                    .collect();
                assert_eq!(covered, (first..end).collect::<Vec<_>>());
            }
        }
        assert_eq!(subtrees(0, 1 << 20), [(20, 0)]);
    }
}
