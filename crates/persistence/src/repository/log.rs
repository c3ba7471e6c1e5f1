//! The transparency log of one org, or of the platform: checkpoints, hashes and leaf indexes.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use postern_domain::id::{EventId, OrgId};
use postern_tlog::{Checkpoint, Hash, ProofError, Tile, inclusion};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    entity::{audit_checkpoint, audit_leaf, audit_node, org_or_nil},
    error::StoreError,
    tx::Tx,
};

/// Number of tree levels that a tile covers.
pub(crate) const LEVELS: u8 = 8;

pub struct Log<'a> {
    tx: &'a Tx,
    org: Option<OrgId>,
}

/// The latest state of a log.
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

    /// Origin of the log.
    pub fn origin(&self) -> Result<String, StoreError> {
        Ok(self.tx.store().audit_keys()?.origin(self.org))
    }

    /// Verifier keys of its checkpoints.
    pub fn keys(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.tx.store().audit_keys()?.verifiers(&self.origin()?))
    }

    /// The latest checkpoint; a new one of an empty log if nothing has been sequenced yet.
    pub async fn head(&self) -> Result<Head, StoreError> {
        use audit_checkpoint::Column as C;
        let newest = audit_checkpoint::Entity::find()
            .filter(C::OrgId.eq(org_or_nil(self.org)))
            .order_by_desc(C::Size)
            .one(self.tx)
            .await?;
        if let Some(row) = newest {
            // Keys added since the checkpoint sign it as well.
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

    /// Past checkpoints, smallest first: about `at_most`, evenly spread over the log.
    pub async fn history(&self, size: u64, at_most: u64) -> Result<Vec<String>, StoreError> {
        use audit_checkpoint::Column as C;
        let (audit_keys, origin) = (self.tx.store().audit_keys()?, self.origin()?);
        let step = size.div_ceil(at_most.max(1)).max(1);
        let mut notes = Vec::new();
        // The last checkpoint of each step, with one index lookup each.
        let mut below = step;
        while below <= size {
            let checkpoint = audit_checkpoint::Entity::find()
                .filter(C::OrgId.eq(org_or_nil(self.org)))
                .filter(C::Size.gt(number(below - step)?))
                .filter(C::Size.lte(number(below)?))
                .order_by_desc(C::Size)
                .one(self.tx)
                .await?;
            notes.extend(
                checkpoint.map(|row| audit_keys.with_current_signatures(&origin, row.note)),
            );
            below += step;
        }
        Ok(notes)
    }

    /// Index and hash of the leaf of an event.
    pub async fn leaf_of(&self, event: EventId) -> Result<Option<(u64, Hash)>, StoreError> {
        let row = audit_leaf::Entity::find()
            .filter(audit_leaf::Column::OrgId.eq(org_or_nil(self.org)))
            .filter(audit_leaf::Column::EventId.eq(event.uuid()))
            .one(self.tx)
            .await?;
        row.map(|row| Ok((natural(row.leaf_index)?, hash(&row.hash)?))).transpose()
    }

    /// Up to `count` leaves from index `first` on; fewer at the end of the log or if it is damaged.
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

    /// The hashes of a tile. None if the log has no such tile, or only a narrower one.
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

    /// Inclusion proof (RFC 6962) of entry `index` in the tree of `size` entries. None if there is
    /// no such entry.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        self.proof(size, |node| inclusion(node, index, size)).await
    }

    /// The smallest set of perfect subtree roots that covers each range of entries, given as its
    /// first index and its exclusive end. None if the log is damaged.
    pub async fn covers(
        &self,
        runs: &[(u64, u64)],
        size: u64,
    ) -> Result<Vec<Option<Cover>>, StoreError> {
        let covers: Vec<Vec<(u8, u64)>> =
            runs.iter().map(|(first, end)| subtrees(*first, *end)).collect();
        let known = self.nodes(&covers.concat(), size).await?;
        let root = |(level, index)| known.get(&(level, index)).map(|hash| (level, index, *hash));
        Ok(covers.into_iter().map(|nodes| nodes.into_iter().map(root).collect()).collect())
    }

    /// Builds a proof twice: first to collect the nodes that it needs, then with their hashes.
    async fn proof<P>(&self, size: u64, make: P) -> Result<Option<Vec<Hash>>, StoreError>
    where
        P: Fn(&dyn Fn(u8, u64) -> Option<Hash>) -> Result<Vec<Hash>, ProofError>,
    {
        let needed = std::cell::RefCell::new(Vec::new());
        let collect = |level, index| {
            needed.borrow_mut().push((level, index));
            Some(Hash::of_nothing())
        };
        if make(&collect).is_err() {
            return Ok(None);
        }
        let known = self.nodes(&needed.into_inner(), size).await?;
        let proof = make(&|level, index| known.get(&(level, index)).copied());
        proof
            .map(Some)
            .map_err(|error| StoreError::Corrupt(format!("log of {:?}: {error}", self.org)))
    }

    /// Hashes of nodes by level and index, computed from tiles. Nodes that the log lacks are
    /// omitted.
    async fn nodes(
        &self,
        positions: &[(u8, u64)],
        size: u64,
    ) -> Result<HashMap<(u8, u64), Hash>, StoreError> {
        let mut tiles: BTreeMap<Tile, Vec<Hash>> = BTreeMap::new();
        let mut known = HashMap::new();
        for &(level, index) in positions {
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

/// A leaf of a log.
#[derive(Debug, Clone, Copy)]
pub struct Leaf {
    pub index: u64,
    pub event: Uuid,
    pub hash: Hash,
}

/// The perfect subtrees, by level and index, that cover exactly the entries from `first` to before
/// `end`.
fn subtrees(mut first: u64, end: u64) -> Vec<(u8, u64)> {
    let mut cover = Vec::new();
    while first < end {
        let aligned = if first == 0 { 63 } else { first.trailing_zeros() };
        let fitting = (end - first).ilog2();
        let level = aligned.min(fitting);
        cover.push((u8::try_from(level).expect("less than 64"), first >> level));
        first += 1 << level;
    }
    cover
}

fn damaged(level: u8, index: u64) -> StoreError {
    StoreError::Corrupt(format!("the log has no node {index} of level {level}"))
}

/// A hash as stored.
pub(crate) fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes
        .try_into()
        .map(Hash)
        .map_err(|_| StoreError::Corrupt("a log hash does not have 32 bytes".to_owned()))
}

/// A log size or index as stored.
pub(crate) fn number(index: u64) -> Result<i64, StoreError> {
    i64::try_from(index)
        .map_err(|_| StoreError::Broken("a log has fewer than 2^63 entries".to_owned()))
}

/// The inverse of [`number`].
pub(crate) fn natural(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number)
        .map_err(|_| StoreError::Corrupt("a log size or index is negative".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::subtrees;

    #[test]
    fn subtrees_cover_exactly_their_range() {
        for first in 0..70 {
            for end in first..70 {
                let covered: Vec<u64> = subtrees(first, end)
                    .iter()
                    .flat_map(|(level, index)| (index << level)..((index + 1) << level))
                    .collect();
                assert_eq!(covered, (first..end).collect::<Vec<_>>(), "subtrees of {first}..{end}");
            }
        }
        assert_eq!(subtrees(0, 1 << 20), [(20, 0)], "a complete subtree is not divided");
    }
}
