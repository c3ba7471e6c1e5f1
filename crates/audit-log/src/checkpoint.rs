//! Signed checkpoints: origin, size and root hash of a log, signed by one of the auditor's keys.

use postern_tlog::{Checkpoint, Note, NoteError, Verifier};

use crate::verdict::Verdict;

/// Reason that a checkpoint is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("not a checkpoint: {0}")]
    Malformed(#[from] NoteError),
    #[error("it is of the log {origin}, but your keys are of {keys}")]
    OtherLog { origin: String, keys: String },
    #[error(
        "not signed by one of your keys ({size} entries): it is signed by the key with ID \
         {signed_by}, your keys have ID {keys}"
    )]
    OtherKey { size: u64, signed_by: String, keys: String },
    #[error(
        "the signature is wrong ({size} entries): the text was altered after it was signed, or \
         the signature was"
    )]
    WrongSignature { size: u64 },
}

impl CheckpointError {
    /// Conclusion from this error. The wrong log is a wrong input, which proves nothing.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::OtherLog { .. } => Verdict::Inconclusive,
            Self::Malformed(_) | Self::OtherKey { .. } | Self::WrongSignature { .. } => {
                Verdict::NotValid
            }
        }
    }

    /// Conclusion from this error if the auditor stored the checkpoint: a missing key is a missing
    /// input as well.
    #[must_use]
    pub const fn verdict_if_stored(&self) -> Verdict {
        match self {
            Self::OtherKey { .. } => Verdict::Inconclusive,
            _ => self.verdict(),
        }
    }
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
    let (size, origin) = (checkpoint.size, &checkpoint.origin);
    let of_log: Vec<_> = keys.iter().filter(|key| key.name() == *origin).collect();
    if of_log.is_empty() {
        let keys = list(keys.iter().map(|key| key.name().to_owned()));
        return Err(CheckpointError::OtherLog { origin: origin.clone(), keys });
    }
    let results: Vec<_> = of_log.iter().map(|key| note.verify(key)).collect();
    if results.iter().any(Result::is_ok) {
        return Ok(checkpoint);
    }
    if results.iter().any(|result| matches!(result, Err(NoteError::WrongSignature(_)))) {
        return Err(CheckpointError::WrongSignature { size });
    }
    let (signed_by, keys) =
        (list(note.key_ids(origin)), list(of_log.into_iter().map(Verifier::id)));
    Err(CheckpointError::OtherKey { size, signed_by, keys })
}

/// Different texts, separated by commas.
fn list(texts: impl IntoIterator<Item = String>) -> String {
    let mut texts: Vec<String> = texts.into_iter().collect();
    texts.sort();
    texts.dedup();
    if texts.is_empty() { "(none)".to_owned() } else { texts.join(", ") }
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
        let error = verify(&note, std::slice::from_ref(&other)).expect_err("a wrong key fails");
        let text = error.to_string();
        assert!(matches!(error, CheckpointError::OtherKey { size: 5, .. }), "{text}");
        assert!(text.contains(&other.id()) && error.verdict() == Verdict::NotValid, "{text}");
        assert_eq!(error.verdict_if_stored(), Verdict::Inconclusive, "a key is missing");
        let altered = note.replacen("\n5\n", "\n6\n", 1);
        assert_ne!(altered, note);
        let error = verify(&altered, &[signer(ORIGIN, 1).verifier()]).expect_err("it was altered");
        assert_eq!(error, CheckpointError::WrongSignature { size: 6 });
        assert_eq!(error.verdict_if_stored(), Verdict::NotValid);
        assert!(matches!(verify("x", &[]), Err(CheckpointError::Malformed(_))));
    }

    #[test]
    fn a_checkpoint_of_another_log_names_both_logs() {
        let keys = ["other.example/a", "other.example/b"].map(|name| signer(name, 1).verifier());
        let error = verify(&Log::of(5).checkpoint(5), &keys).expect_err("the log is another");
        let expected = format!(
            "it is of the log {ORIGIN}, but your keys are of other.example/a, other.example/b"
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.verdict(), Verdict::Inconclusive);
    }
}
