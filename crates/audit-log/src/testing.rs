//! Example event and log for the unit tests.

use std::collections::BTreeMap;

use postern_tlog::{Checkpoint, Frontier, Hash, ProofFile, Signer, consistency, inclusion};

use crate::commitment::CommitmentSalts;

pub const ORIGIN: &str = "postern.example/org_01k7fgpr00e00800000000000g";

pub const EVENT: &str = r#"{"id":"evt_01k7fgpr00e00800000000000g",
    "occurred_at":"2026-11-20T09:31:04.120Z",
    "org":{"id":"org_01k7fgpr00e00800000000000g","slug":"acme"},
    "actor":{"type":"staff","id":"user_01k7fgpr00e00800000000000g",
        "email":"sam@postern.example","tier":"support"},
    "on_behalf_of":null,"action":"user.role_changed","outcome":"succeeded",
    "target":{"type":"member","id":"mem_01k7fgpr00e00800000000000g","label":"bo@acme.example"},
    "summary":"Sam changed bo@acme.example","reason":null,"ticket_ref":"SUP-1",
    "metadata":{"role":{"old":"viewer","new":"member"},"count":3},
    "source":{"ip":"203.0.113.9","user_agent":null,"session_id":null,
        "impersonation_id":null,"request_id":"r"},
    "schema_version":1,
    "log":{"origin":"postern.example/org_01k7fgpr00e00800000000000g","index":3}}"#;

/// Salts of the example event.
pub fn salts() -> CommitmentSalts {
    CommitmentSalts::new(std::array::from_fn(|n| u8::try_from(n).expect("less than 256")))
}

pub fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name, &[seed; 32]).expect("the name is valid")
}

/// A log with all nodes, and the roots of all sizes.
pub struct Log {
    pub leaves: Vec<Hash>,
    nodes: BTreeMap<(u8, u64), Hash>,
    roots: Vec<Hash>,
}

impl Log {
    /// A log with `size` different leaves.
    pub fn of(size: u64) -> Self {
        Self::with_leaves((0..size).map(|n| Hash::of_leaf(&n.to_be_bytes())).collect())
    }

    pub fn with_leaves(leaves: Vec<Hash>) -> Self {
        let (mut tree, mut nodes, mut roots) =
            (Frontier::default(), BTreeMap::new(), vec![Hash::of_nothing()]);
        for leaf in &leaves {
            nodes.extend(
                tree.append(*leaf).iter().map(|node| ((node.level, node.index), node.hash)),
            );
            roots.push(tree.root());
        }
        Self { leaves, nodes, roots }
    }

    /// Complete node by level and index.
    pub fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.nodes.get(&(level, index)).copied()
    }

    /// Signed checkpoint at this size.
    pub fn checkpoint(&self, size: u64) -> String {
        let root = self.roots[usize::try_from(size).expect("the log is small")];
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root };
        signer(ORIGIN, 1).sign(&checkpoint.to_text()).expect("the text is valid").to_text()
    }

    /// Proof of an entry in the tree of `size` entries.
    pub fn proof(&self, index: u64, size: u64) -> ProofFile {
        let hashes = inclusion(|level, index| self.node(level, index), index, size)
            .expect("the entry exists");
        ProofFile { index, hashes, checkpoint: self.checkpoint(size) }
    }

    pub fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        consistency(|level, index| self.node(level, index), old, new).expect("the sizes are valid")
    }

    /// Hashes of a tile.
    pub fn tile(&self, tile: postern_tlog::Tile) -> Option<Vec<Hash>> {
        let first = tile.index * 256;
        (first..first + u64::from(tile.width))
            .map(|index| self.node(tile.level * 8, index))
            .collect()
    }
}
