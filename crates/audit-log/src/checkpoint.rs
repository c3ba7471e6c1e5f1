//! Signed checkpoints: origin, size and root hash of a log, signed by one of the auditor's keys.

use postern_tlog::{Checkpoint, Note, NoteError, Verifier};

/// Reason that a checkpoint is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("not a checkpoint: {0}")]
    Malformed(#[from] NoteError),
    #[error("not signed by one of your keys ({size} entries): {reason}")]
    NotSigned { size: u64, reason: String },
}

/// Parses a checkpoint without verifying its signatures.
pub fn parse(note: &str) -> Result<Checkpoint, NoteError> {
    Checkpoint::of(&Note::parse(note)?)
}

/// Parses a checkpoint, and verifies that one of the keys has signed it. A key signs several logs
/// under different names: its name must be the origin of the log.
pub fn verify(note: &str, keys: &[Verifier]) -> Result<Checkpoint, CheckpointError> {
    let note = Note::parse(note)?;
    let checkpoint = Checkpoint::of(&note)?;
    let results: Vec<_> = keys
        .iter()
        .filter(|key| key.name() == checkpoint.origin)
        .map(|key| note.verify(key))
        .collect();
    if results.iter().any(Result::is_ok) {
        return Ok(checkpoint);
    }
    let reason = results.into_iter().find_map(Result::err).map_or_else(
        || format!("none of your keys has the name {}", checkpoint.origin),
        |error| error.to_string(),
    );
    Err(CheckpointError::NotSigned { size: checkpoint.size, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Log, ORIGIN, signer};

    #[test]
    fn a_checkpoint_must_be_signed_by_a_key_of_its_log() {
        let (log, key) = (Log::of(5), signer(ORIGIN, 1).verifier());
        let note = log.checkpoint(5);
        assert_eq!(verify(&note, std::slice::from_ref(&key)).map(|tree| tree.size), Ok(5));
        let other = signer(ORIGIN, 2).verifier();
        assert_eq!(verify(&note, &[other.clone(), key]).map(|tree| tree.size), Ok(5));
        for wrong in [other, signer("other.example/log", 1).verifier()] {
            let error = verify(&note, std::slice::from_ref(&wrong)).expect_err("a wrong key fails");
            assert!(matches!(error, CheckpointError::NotSigned { size: 5, .. }), "{error}");
        }
        let altered = note.replacen("\n5\n", "\n6\n", 1);
        assert_ne!(altered, note);
        assert!(verify(&altered, &[signer(ORIGIN, 1).verifier()]).is_err(), "{altered}");
        assert!(matches!(verify("x", &[]), Err(CheckpointError::Malformed(_))));
    }
}
