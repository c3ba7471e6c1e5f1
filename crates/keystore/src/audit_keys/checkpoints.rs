//! Signatures of checkpoints.

use std::sync::PoisonError;

use postern_tlog::{Checkpoint, Note, NoteError, Signer};

use super::AuditKeys;
use crate::signing::SigningKey;

/// Reason that a checkpoint was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("no active key to sign checkpoints")]
    NoKey,
}

impl AuditKeys {
    /// Verifier keys for checkpoints of this log, in C2SP `signed-note` format.
    pub fn verifiers(&self, origin: &str) -> Vec<String> {
        self.signers(origin).iter().map(|signer| signer.verifier().to_text()).collect()
    }

    /// Signs a checkpoint with every active key and returns the note.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<String, SignError> {
        let text = checkpoint.to_text();
        let mut signed: Option<Note> = None;
        for signer in self.signers(&checkpoint.origin) {
            let note = signer.sign(&text)?;
            signed = Some(match signed {
                Some(before) => before.with(&note),
                None => note,
            });
        }
        signed.map(|note| note.to_text()).ok_or(SignError::NoKey)
    }

    /// Reports whether `note` is a checkpoint of `tree`, signed with an active or retired key.
    /// Access to the database alone is not enough to create one.
    pub fn has_signed(&self, note: &str, tree: &Checkpoint) -> bool {
        let Ok(note) = Note::parse(note) else { return false };
        let retired = self.retired.read().unwrap_or_else(PoisonError::into_inner);
        let signed = self
            .signers(&tree.origin)
            .into_iter()
            .chain(signers(&retired, &tree.origin))
            .any(|signer| note.verify(&signer.verifier()).is_ok());
        signed && Checkpoint::of(&note).is_ok_and(|checkpoint| checkpoint == *tree)
    }

    /// Adds the missing signatures of active keys to a checkpoint signed by this installation. Any
    /// other note is returned unchanged.
    pub fn with_current_signatures(&self, origin: &str, note: String) -> String {
        let is_ours = |parsed: &Note| {
            Checkpoint::of(parsed)
                .is_ok_and(|tree| tree.origin == origin && self.has_signed(&note, &tree))
        };
        let Some(parsed) = Note::parse(&note).ok().filter(is_ours) else { return note };
        let missing = self
            .signers(origin)
            .into_iter()
            .filter(|signer| parsed.verify(&signer.verifier()).is_err());
        let added: Vec<Note> =
            missing.filter_map(|signer| signer.sign(&parsed.text).ok()).collect();
        added.iter().fold(parsed, Note::with).to_text()
    }

    fn signers(&self, origin: &str) -> Vec<Signer> {
        signers(&self.keys.read().unwrap_or_else(PoisonError::into_inner), origin).collect()
    }
}

/// Signers with the name `origin`. Empty if it is not a valid name.
fn signers(keys: &[SigningKey], origin: &str) -> impl Iterator<Item = Signer> {
    keys.iter().filter_map(move |key| Signer::new(origin, key.pair()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono::{DateTime, TimeDelta};
    use postern_tlog::{Hash, Verifier};

    use super::*;
    use crate::audit_keys::tests::open;

    #[test]
    fn active_keys_sign_and_retired_keys_are_recognized() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let keys = open(&folder, true);
        let origin = keys.origin(Some("org_1"));
        let tree = Checkpoint { origin: origin.clone(), size: 0, root: Hash::of_nothing() };
        let note = keys.sign(&tree).expect("the checkpoint is signed");
        keys.add_key(DateTime::UNIX_EPOCH + TimeDelta::days(1)).expect("the key is created");
        let first = folder.path().join("19700101T000000.000000Z.log.pk8");
        fs::rename(&first, first.with_file_name("19700101T000000.000000Z.retired.pk8"))
            .expect("the key is retired");
        keys.reload().expect("the keys are reloaded");
        assert!(keys.has_signed(&note, &tree), "the retired key is recognized");
        let verifiers = keys.verifiers(&origin);
        assert_eq!(verifiers.len(), 1, "a retired key is not published");
        let new = Verifier::parse(&verifiers[0]).expect("a verifier key");
        let parsed = Note::parse(&note).expect("a note");
        assert!(parsed.verify(&new).is_err(), "the old note lacks the signature of the new key");
        let completed = keys.with_current_signatures(&origin, note);
        Note::parse(&completed).expect("a note").verify(&new).expect("the active key signed");
        let foreign = tempfile::tempdir().expect("a temporary directory");
        let foreign = open(&foreign, true).sign(&tree).expect("the checkpoint is signed");
        assert!(
            !keys.has_signed(&foreign, &tree),
            "a note of another installation is not recognized"
        );
        assert_eq!(
            keys.with_current_signatures(&origin, foreign.clone()),
            foreign,
            "a note of another installation is unchanged"
        );
    }
}
