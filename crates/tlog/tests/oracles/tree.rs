//! A tree with all nodes, built by this crate and by `tlog_tiles`.

use std::collections::BTreeMap;

use postern_tlog::{Frontier, Hash};
use tlog_tiles::tlog::{self as theirs, HashReader};

/// Size of the largest tree that is compared exhaustively.
pub const MAX_SIZE: u64 = 130;

/// The entry at index `n` of all trees.
pub fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

/// A tree with all nodes, and the roots of all sizes.
#[derive(Default)]
pub struct Tree {
    frontier: Frontier,
    pub nodes: BTreeMap<(u8, u64), Hash>,
    roots: Vec<Hash>,
    /// All nodes in the numbering of `tlog_tiles`.
    stored: Vec<theirs::Hash>,
}

/// Reads nodes for `tlog_tiles`.
pub struct StoredHashes<'a>(&'a [theirs::Hash]);

impl HashReader for StoredHashes<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<theirs::Hash>, theirs::Error> {
        Ok(indexes.iter().map(|index| self.0[to_usize(*index)]).collect())
    }
}

impl Tree {
    pub fn of(size: u64) -> Self {
        let mut tree = Self { roots: vec![Frontier::default().root()], ..Self::default() };
        for n in 0..size {
            for node in tree.frontier.append(Hash::of_leaf(&entry(n))) {
                tree.nodes.insert((node.level, node.index), node.hash);
            }
            tree.roots.push(tree.frontier.root());
            let hashes = theirs::stored_hashes(n, &entry(n), &tree.stored_hashes())
                .expect("the hashes are readable");
            tree.stored.extend(hashes);
        }
        tree
    }

    pub fn node(&self) -> impl Fn(u8, u64) -> Option<Hash> {
        |level, index| self.nodes.get(&(level, index)).copied()
    }

    pub fn root(&self, size: u64) -> Hash {
        self.roots[to_usize(size)]
    }

    pub fn stored_hashes(&self) -> StoredHashes<'_> {
        StoredHashes(&self.stored)
    }
}

pub fn to_usize(number: u64) -> usize {
    usize::try_from(number).expect("the number is small")
}
