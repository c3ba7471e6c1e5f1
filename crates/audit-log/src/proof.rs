//! Verification of one event: its entry is in the tree of a signed checkpoint.

use postern_tlog::{Checkpoint, Hash, ProofError, ProofFile, Verifier, verify_inclusion};

use crate::{
    checkpoint::{self, CheckpointError},
    entry::LeafError,
    event::CanonicalEvent,
    verdict::Verdict,
};

/// Reason that a proof does not prove its event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    #[error("the checkpoint of the proof: {0}")]
    Checkpoint(#[from] CheckpointError),
    #[error("{0}")]
    Leaf(#[from] LeafError),
    #[error("the leaf is not entry {index} of the tree of {size} entries: {error}")]
    Inclusion { index: u64, size: u64, error: ProofError },
    #[error("event {id} was altered: it does not match its leaf")]
    Altered { id: String },
    #[error("event {id} states another position: entry {index} of {origin}")]
    Position { id: String, origin: String, index: u64 },
    #[error("the stored checkpoint: {0}")]
    Stored(CheckpointError),
    #[error("the log was rewritten: a stored checkpoint of {size} entries has another root")]
    Rewritten { size: u64 },
    #[error(
        "the stored checkpoint, {stored_origin} with {stored_size} entries, cannot be compared \
         with the proof's, {origin} with {size} entries: verify that the two are consistent"
    )]
    NotComparable { origin: String, size: u64, stored_origin: String, stored_size: u64 },
}

impl ProofFault {
    /// Conclusion from this fault.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Checkpoint(error) => error.verdict(),
            Self::Stored(error) => error.verdict_if_stored(),
            Self::Leaf(LeafError::Version { .. }) | Self::NotComparable { .. } => {
                Verdict::Inconclusive
            }
            Self::Leaf(_)
            | Self::Inclusion { .. }
            | Self::Altered { .. }
            | Self::Position { .. }
            | Self::Rewritten { .. } => Verdict::NotValid,
        }
    }
}

/// Verifies that `leaf` is the proven entry. Returns the checkpoint of the proof.
pub fn verify_leaf(
    leaf: Hash,
    proof: &ProofFile,
    keys: &[Verifier],
) -> Result<Checkpoint, ProofFault> {
    let checkpoint = checkpoint::verify(&proof.checkpoint, keys)?;
    let (index, size) = (proof.index, checkpoint.size);
    verify_inclusion(leaf, index, size, &proof.hashes, checkpoint.root)
        .map_err(|error| ProofFault::Inclusion { index, size, error })?;
    Ok(checkpoint)
}

/// Verifies that the entry of an event, with its `opening`, is the proven entry. Returns the
/// checkpoint of the proof.
pub fn verify_event(
    event: &CanonicalEvent<'_>,
    proof: &ProofFile,
    keys: &[Verifier],
) -> Result<Checkpoint, ProofFault> {
    let id = || event.id.to_string();
    let (opening, leaf) = event.opened_leaf()?;
    if opening.leaf.as_ref().is_some_and(|recorded| *recorded != leaf.to_base64()) {
        return Err(ProofFault::Altered { id: id() });
    }
    let checkpoint = verify_leaf(leaf, proof, keys)?;
    match &event.log {
        Some(log) if log.origin != checkpoint.origin || log.index != proof.index => {
            let (origin, index) = (log.origin.clone(), log.index);
            Err(ProofFault::Position { id: id(), origin, index })
        }
        _ => Ok(checkpoint),
    }
}

/// Verifies that a stored checkpoint is signed and has the same root. One of another log or size
/// cannot be compared. Returns `checkpoint`.
pub fn verify_stored(
    checkpoint: Checkpoint,
    stored: &str,
    keys: &[Verifier],
) -> Result<Checkpoint, ProofFault> {
    let stored = checkpoint::verify(stored, keys).map_err(ProofFault::Stored)?;
    let (origin, size) = (&checkpoint.origin, checkpoint.size);
    if *origin != stored.origin || size != stored.size {
        return Err(ProofFault::NotComparable {
            origin: origin.clone(),
            size,
            stored_origin: stored.origin,
            stored_size: stored.size,
        });
    }
    if checkpoint.root == stored.root {
        Ok(checkpoint)
    } else {
        Err(ProofFault::Rewritten { size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        commitment::Opening,
        testing::{EVENT, Log, ORIGIN, salts, signer},
    };

    fn event(json: &str) -> CanonicalEvent<'_> {
        let mut event = CanonicalEvent::parse(json).expect("the event is valid");
        event.opening = Some(Opening::of(&salts(), None, false));
        event
    }

    /// A log of 9 entries; entry 3 is the example event.
    fn log() -> Log {
        let mut leaves = Log::of(9).leaves;
        leaves[3] = event(EVENT).leaf(&salts());
        Log::with_leaves(leaves)
    }

    fn keys() -> Vec<Verifier> {
        vec![signer(ORIGIN, 1).verifier()]
    }

    #[test]
    fn a_valid_proof_proves_its_event() {
        for size in 4..=9 {
            let checkpoint = verify_event(&event(EVENT), &log().proof(3, size), &keys())
                .expect("the proof is valid");
            assert_eq!((checkpoint.origin.as_str(), checkpoint.size), (ORIGIN, size));
        }
    }

    #[test]
    fn an_altered_event_or_leaf_is_not_proven() {
        let (log, proof) = (log(), log().proof(3, 9));
        let altered = EVENT.replacen("changed bo", "removed bo", 1);
        let error = verify_event(&event(&altered), &proof, &keys()).expect_err("it was altered");
        let inclusion = ProofFault::Inclusion { index: 3, size: 9, error: ProofError::Root };
        assert_eq!(error, inclusion);
        // The leaf hash that the server returned with the event reveals the alteration as well.
        let mut event = event(&altered);
        event.opening = Some(Opening::of(&salts(), Some(log.leaves[3]), false));
        let error = verify_event(&event, &proof, &keys()).expect_err("it was altered");
        assert!(matches!(error, ProofFault::Altered { .. }), "{error}");
        assert_eq!(verify_leaf(log.leaves[4], &proof, &keys()), Err(inclusion));
        assert!(verify_leaf(log.leaves[3], &proof, &keys()).is_ok());
    }

    #[test]
    fn a_checkpoint_of_another_key_is_rejected() {
        let other = [signer(ORIGIN, 2).verifier()];
        let error = verify_event(&event(EVENT), &log().proof(3, 9), &other).expect_err("wrong key");
        assert!(
            matches!(error, ProofFault::Checkpoint(CheckpointError::OtherKey { .. })),
            "{error}"
        );
    }

    #[test]
    fn a_proof_for_another_size_or_index_is_rejected() {
        let log = log();
        let smaller = ProofFile { checkpoint: log.checkpoint(8), ..log.proof(3, 9) };
        let beyond = ProofFile { checkpoint: log.checkpoint(3), ..log.proof(3, 9) };
        let moved = ProofFile { index: 4, ..log.proof(3, 9) };
        for (proof, expected) in [
            (smaller, ProofError::Length),
            (beyond, ProofError::OutOfRange),
            (moved, ProofError::Root),
        ] {
            match verify_event(&event(EVENT), &proof, &keys()) {
                Err(ProofFault::Inclusion { error, .. }) => assert_eq!(error, expected),
                other => panic!("the proof is rejected: {other:?}"),
            }
        }
    }

    #[test]
    fn an_event_must_state_the_proven_position() {
        let proof = log().proof(3, 9);
        for (text, replacement) in [("\"index\":3", "\"index\":4"), (ORIGIN, "other.example/log")] {
            let moved = EVENT.replace(text, replacement);
            let error = verify_event(&event(&moved), &proof, &keys()).expect_err("it was moved");
            assert!(matches!(error, ProofFault::Position { .. }), "{error}");
        }
        let mut pending = event(EVENT);
        pending.log = None;
        assert!(verify_event(&pending, &proof, &keys()).is_ok(), "a position is not required");
    }

    #[test]
    fn a_stored_checkpoint_of_the_same_size_must_have_the_same_root() {
        let log = log();
        let checkpoint =
            verify_leaf(log.leaves[3], &log.proof(3, 9), &keys()).expect("it is valid");
        let verify = |note: &str| verify_stored(checkpoint.clone(), note, &keys());
        assert_eq!(verify(&log.checkpoint(9)), Ok(checkpoint.clone()));
        assert_eq!(verify(&Log::of(9).checkpoint(9)), Err(ProofFault::Rewritten { size: 9 }));
        let smaller = verify(&log.checkpoint(8)).expect_err("the sizes differ");
        assert!(matches!(smaller, ProofFault::NotComparable { size: 9, .. }), "{smaller}");
        assert_eq!(smaller.verdict(), Verdict::Inconclusive, "the proof itself is valid");
    }
}
