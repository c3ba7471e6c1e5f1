//! Keys of the audit log, kept outside the database: the MAC key that authenticates queued events,
//! and the keys that sign checkpoints. With access to the database alone, events can be removed
//! but not forged.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, Utc};
use postern_domain::{
    Id,
    entry::SALTS,
    id::{EventId, OrgId},
};
use postern_tlog::{Checkpoint, Hash, Note, Signer};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
    signature::Ed25519KeyPair,
};

use crate::{
    error::StoreError,
    keyfile::{self, KeyError},
};

/// File suffix of active signing keys.
const SUFFIX: &str = ".log.pk8";
/// File suffix of retired signing keys: rename a key file to retire the key.
const RETIRED: &str = ".retired.pk8";

pub struct AuditKeys {
    /// Prefix of all log origins of this installation: `postern.example`.
    name: RwLock<String>,
    /// Whether the name was configured. If not, the name stored in the database takes precedence.
    chosen: bool,
    folder: PathBuf,
    mac_key: hmac::Key,
    /// Active keys, oldest first. Every active key signs, so that verifiers with the old and with
    /// the new key both succeed during a rotation.
    keys: RwLock<Vec<Arc<Ed25519KeyPair>>>,
    retired: RwLock<Vec<Arc<Ed25519KeyPair>>>,
}

impl AuditKeys {
    /// Reads the keys in `folder` and creates missing ones.
    pub fn open(
        folder: &Path,
        name: &str,
        chosen: bool,
        now: DateTime<Utc>,
    ) -> Result<Self, KeyError> {
        keyfile::make_folder(folder)?;
        let mac_key =
            hmac::Key::new(hmac::HMAC_SHA256, &keyfile::secret(&folder.join("audit.secret"))?);
        if keyfile::read_pairs(folder, SUFFIX)?.is_empty() {
            keyfile::make_pair(folder, SUFFIX, now)?;
        }
        let audit_keys = Self {
            name: RwLock::new(name.to_owned()),
            chosen,
            folder: folder.to_owned(),
            mac_key,
            keys: RwLock::default(),
            retired: RwLock::default(),
        };
        audit_keys.reload()?;
        Ok(audit_keys)
    }

    /// Creates an additional signing key. To retire an old key, rename its file.
    pub fn add_key(&self, now: DateTime<Utc>) -> Result<(), KeyError> {
        keyfile::make_pair(&self.folder, SUFFIX, now)?;
        self.reload()
    }

    /// Marker file beside the keys: events from before the transparency log have been backfilled.
    pub(crate) const BACKFILLED: &str = "log.backfilled";

    pub(crate) fn has_backfilled(&self) -> bool {
        self.folder.join(Self::BACKFILLED).exists()
    }

    pub(crate) fn mark_backfilled(&self) -> Result<(), KeyError> {
        if self.has_backfilled() {
            return Ok(());
        }
        let file = self.folder.join(Self::BACKFILLED);
        keyfile::write_private(&file, b"")
    }

    /// Reads the folder again, for added and retired keys.
    pub fn reload(&self) -> Result<(), KeyError> {
        let read = |suffix| {
            let pairs = keyfile::read_pairs(&self.folder, suffix)?;
            pairs.iter().map(|file| file.pair().map(Arc::new)).collect::<Result<Vec<_>, _>>()
        };
        let (keys, retired) = (read(SUFFIX)?, read(RETIRED)?);
        if keys.is_empty() {
            return Err(KeyError::Gone(self.folder.clone()));
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        *self.retired.write().unwrap_or_else(PoisonError::into_inner) = retired;
        Ok(())
    }

    /// Prefix of all log origins.
    pub fn name(&self) -> String {
        self.name.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over the name stored in the database unless one was configured. Returns whether the
    /// names agree.
    pub(crate) fn accept_origin(&self, name: &str) -> bool {
        if self.chosen {
            return self.name() == name;
        }
        name.clone_into(&mut self.name.write().unwrap_or_else(PoisonError::into_inner));
        true
    }

    /// Fingerprint of the MAC key, which does not reveal the key.
    pub(crate) fn key_fingerprint(&self) -> String {
        let mac = hmac::sign(&self.mac_key, b"which key is this?");
        mac.as_ref()[..8].iter().fold(String::new(), |print, byte| print + &format!("{byte:02x}"))
    }

    /// Origin of a log: the first line of its checkpoints.
    pub fn origin(&self, org: Option<OrgId>) -> String {
        match org {
            Some(org) => format!("{}/{org}", self.name()),
            None => format!("{}/platform", self.name()),
        }
    }

    /// Verifier keys for checkpoints of this log, in C2SP `signed-note` format.
    pub fn verifiers(&self, origin: &str) -> Vec<String> {
        self.signers(origin).iter().map(|signer| signer.verifier().to_text()).collect()
    }

    /// Signs a checkpoint with every active key and returns the note.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<String, StoreError> {
        let text = checkpoint.to_text();
        let mut signed: Option<Note> = None;
        for signer in self.signers(&checkpoint.origin) {
            let note = signer.sign(&text).map_err(|error| StoreError::Broken(error.to_string()))?;
            signed = Some(match signed {
                Some(before) => before.with(&note),
                None => note,
            });
        }
        signed
            .map(|note| note.to_text())
            .ok_or_else(|| StoreError::Broken("no active key to sign checkpoints".to_owned()))
    }

    /// Reports whether `note` is a checkpoint of `tree`, signed with an active or retired key.
    /// Access to the database alone is not enough to create one.
    pub(crate) fn has_signed(&self, note: &str, tree: &Checkpoint) -> bool {
        let Ok(note) = Note::parse(note) else { return false };
        let retired = self.retired.read().unwrap_or_else(PoisonError::into_inner);
        let retired_signers =
            retired.iter().filter_map(|key| Signer::new(&tree.origin, Arc::clone(key)));
        let signed = self
            .signers(&tree.origin)
            .into_iter()
            .chain(retired_signers)
            .any(|signer| note.verify(&signer.verifier()).is_ok());
        signed && Checkpoint::of(&note).is_ok_and(|checkpoint| checkpoint == *tree)
    }

    /// Adds the missing signatures of active keys to a checkpoint signed by this installation. Any
    /// other note is returned unchanged.
    pub(crate) fn with_current_signatures(&self, origin: &str, note: String) -> String {
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
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().filter_map(|key| Signer::new(origin, Arc::clone(key))).collect()
    }

    /// MAC of a queued event: HMAC-SHA256 over org, event id and leaf hash.
    pub(crate) fn mac(&self, org: Option<OrgId>, event: EventId, leaf: Hash) -> Vec<u8> {
        hmac::sign(&self.mac_key, &mac_input(org, event, leaf)).as_ref().to_vec()
    }

    pub(crate) fn verify_mac(
        &self,
        org: Option<OrgId>,
        event: EventId,
        leaf: Hash,
        mac: &[u8],
    ) -> bool {
        hmac::verify(&self.mac_key, &mac_input(org, event, leaf), mac).is_ok()
    }

    /// Random salts for a new event.
    pub(crate) fn salts() -> Result<[u8; SALTS], StoreError> {
        let mut salts = [0; SALTS];
        SystemRandom::new()
            .fill(&mut salts)
            .map_err(|_| StoreError::Broken(KeyError::NoRandom.to_string()))?;
        Ok(salts)
    }
}

fn mac_input(org: Option<OrgId>, event: EventId, leaf: Hash) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..16].copy_from_slice(org.map(Id::uuid).unwrap_or_default().as_bytes());
    bytes[16..32].copy_from_slice(event.uuid().as_bytes());
    bytes[32..].copy_from_slice(&leaf.0);
    bytes
}
