//! Verification of two signed checkpoints: the newer tree contains the older one unchanged.
//!
//! The consistency proof (RFC 6962) is given as hashes, or computed from the tiles of the newer
//! tree.

use std::{cell::RefCell, collections::BTreeMap};

use postern_tlog::{Checkpoint, Hash, ProofError, Tile, Verifier, consistency, verify_consistency};

use crate::{
    checkpoint::{self, CheckpointError},
    verdict::Verdict,
};

/// Reason that two checkpoints are not consistent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyFault {
    #[error("the old checkpoint: {0}")]
    Old(CheckpointError),
    #[error("the new checkpoint: {0}")]
    New(CheckpointError),
    #[error("the checkpoints are of different logs: {old} and {new}")]
    Origin { old: String, new: String },
    #[error(
        "the new checkpoint has {new} entries, fewer than the {old} of the old one: \
         the log was truncated, or the checkpoints are swapped"
    )]
    Truncated { old: u64, new: u64 },
    #[error("the tree of {new} entries does not extend the tree of {old} entries: {error}")]
    Proof { old: u64, new: u64, error: ProofError },
}

impl ConsistencyFault {
    /// Conclusion from this fault. The auditor stored the old checkpoint.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Old(error) => error.verdict_if_stored(),
            Self::New(error) => error.verdict(),
            Self::Origin { .. } => Verdict::Inconclusive,
            Self::Truncated { .. } | Self::Proof { .. } => Verdict::NotValid,
        }
    }
}

/// Two checkpoints of one log, verified except for their consistency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    pub old: Checkpoint,
    pub new: Checkpoint,
}

impl Checkpoints {
    /// Verifies the signatures of two checkpoints, and that they are of one log.
    pub fn verify(old: &str, new: &str, keys: &[Verifier]) -> Result<Self, ConsistencyFault> {
        let old = checkpoint::verify(old, keys).map_err(ConsistencyFault::Old)?;
        let new = checkpoint::verify(new, keys).map_err(ConsistencyFault::New)?;
        if old.origin != new.origin {
            return Err(ConsistencyFault::Origin { old: old.origin, new: new.origin });
        }
        if old.size > new.size {
            return Err(ConsistencyFault::Truncated { old: old.size, new: new.size });
        }
        Ok(Self { old, new })
    }

    /// Verifies a consistency proof: the new tree begins with the old one.
    pub fn verify_proof(&self, proof: &[Hash]) -> Result<(), ConsistencyFault> {
        let Self { old, new } = self;
        verify_consistency(old.size, new.size, proof, old.root, new.root)
            .map_err(|error| ConsistencyFault::Proof { old: old.size, new: new.size, error })
    }

    /// The tiles that a consistency proof is computed from, of the tree of the new checkpoint.
    #[must_use]
    pub fn tiles(&self) -> Vec<Tile> {
        let mut tiles: Vec<Tile> =
            self.nodes().into_iter().filter_map(|node| Some(self.tile_with(node)?.0)).collect();
        tiles.sort();
        tiles.dedup();
        tiles
    }

    /// Computes the consistency proof from the hashes of [`Checkpoints::tiles`]. `None` if a hash
    /// is missing.
    #[must_use]
    pub fn proof_from(&self, tiles: &BTreeMap<Tile, Vec<Hash>>) -> Option<Vec<Hash>> {
        let node = |level, index| {
            let (tile, first, count) = self.tile_with((level, index))?;
            Tile::node(tiles.get(&tile)?, first, count)
        };
        consistency(node, self.old.size, self.new.size).ok()
    }

    fn tile_with(&self, (level, index): (u8, u64)) -> Option<(Tile, u64, u64)> {
        Tile::with_node(level, index, self.new.size)
    }

    /// Level and index of the nodes that the proof is computed from.
    fn nodes(&self) -> Vec<(u8, u64)> {
        let nodes = RefCell::new(Vec::new());
        let collect = |level, index| {
            nodes.borrow_mut().push((level, index));
            Some(Hash::of_nothing())
        };
        consistency(collect, self.old.size, self.new.size).expect("the old tree is not larger");
        nodes.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Log, ORIGIN, signer};

    fn keys() -> Vec<Verifier> {
        vec![signer(ORIGIN, 1).verifier()]
    }

    fn checkpoints(log: &Log, old: u64, new: u64) -> Checkpoints {
        Checkpoints::verify(&log.checkpoint(old), &log.checkpoint(new), &keys())
            .expect("the checkpoints are signed")
    }

    #[test]
    fn checkpoints_of_one_log_are_consistent() {
        let log = Log::of(20);
        for (old, new) in (0..=20).flat_map(|new| (0..=new).map(move |old| (old, new))) {
            let checkpoints = checkpoints(&log, old, new);
            let proof = log.consistency(old, new);
            assert_eq!(checkpoints.verify_proof(&proof), Ok(()), "{old} to {new}");
        }
    }

    #[test]
    fn an_altered_log_is_not_consistent() {
        let log = Log::of(9);
        let mut leaves = log.leaves.clone();
        leaves[2] = Hash::of_leaf(b"altered");
        let altered = Log::with_leaves(leaves);
        let fault = |old, error| Err(ConsistencyFault::Proof { old, new: 9, error });
        let checkpoints = Checkpoints::verify(&log.checkpoint(5), &altered.checkpoint(9), &keys())
            .expect("both are signed");
        for proof in [log.consistency(5, 9), altered.consistency(5, 9)] {
            assert_eq!(checkpoints.verify_proof(&proof), fault(5, ProofError::Root));
        }
        let same_size = Checkpoints::verify(&log.checkpoint(9), &altered.checkpoint(9), &keys())
            .expect("both are signed");
        assert_eq!(same_size.verify_proof(&[]), fault(9, ProofError::Root));
    }

    #[test]
    fn checkpoints_of_other_keys_sizes_or_logs_are_rejected() {
        let log = Log::of(9);
        let (old, new) = (log.checkpoint(5), log.checkpoint(9));
        let other = [signer(ORIGIN, 2).verifier()];
        assert!(matches!(
            Checkpoints::verify(&old, &new, &other),
            Err(ConsistencyFault::Old(CheckpointError::OtherKey { .. }))
        ));
        assert_eq!(
            Checkpoints::verify(&new, &old, &keys()),
            Err(ConsistencyFault::Truncated { old: 9, new: 5 })
        );
        // A proof between other sizes has another number of hashes, or other hashes.
        for proof in [log.consistency(4, 9), log.consistency(5, 8), Vec::new()] {
            assert!(checkpoints(&log, 5, 9).verify_proof(&proof).is_err(), "{proof:?}");
        }
        let foreign = signer("other.example/log", 1);
        let text = new.replacen(ORIGIN, "other.example/log", 1);
        let text = text.split("\n\n").next().expect("the note has a text").to_owned() + "\n";
        let note = foreign.sign(&text).expect("the text is valid").to_text();
        let both = [keys().remove(0), foreign.verifier()];
        assert!(matches!(
            Checkpoints::verify(&old, &note, &both),
            Err(ConsistencyFault::Origin { .. })
        ));
    }

    #[test]
    fn a_proof_is_computed_from_tiles() {
        let log = Log::of(600);
        for (old, new) in [(0, 9), (5, 5), (5, 9), (256, 257), (255, 600), (300, 600), (512, 513)] {
            let checkpoints = checkpoints(&log, old, new);
            let tiles: BTreeMap<Tile, Vec<Hash>> = checkpoints
                .tiles()
                .into_iter()
                .map(|tile| (tile, log.tile(tile).expect("the log has the tile")))
                .collect();
            let proof = checkpoints.proof_from(&tiles).expect("all hashes are known");
            assert_eq!(proof, log.consistency(old, new), "{old} to {new}");
            assert_eq!(checkpoints.verify_proof(&proof), Ok(()));
        }
        let checkpoints = checkpoints(&log, 300, 600);
        assert_eq!(checkpoints.proof_from(&BTreeMap::new()), None, "tiles are missing");
    }
}
