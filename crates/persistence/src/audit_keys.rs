//! What the record is kept with, and no database has: the key that seals an event on its way into the log, and the keys that sign the
//! log's checkpoints. Whoever has the database alone can take things away, but not make any up.

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

/// Keys that sign.
const SUFFIX: &str = ".log.pk8";
/// Keys that once signed: an old one is retired by giving its file this ending.
const RETIRED: &str = ".retired.pk8";

pub struct AuditKeys {
    /// What all logs of this installation are named after: `postern.example`.
    name: RwLock<String>,
    /// Whether somebody has chosen the name. Otherwise a database that has another goes on under that.
    chosen: bool,
    folder: PathBuf,
    mac_key: hmac::Key,
    /// All that are there sign, the oldest first: while keys are changed, those who know the old one and those who know the new one can verify.
    keys: RwLock<Vec<Arc<Ed25519KeyPair>>>,
    retired: RwLock<Vec<Arc<Ed25519KeyPair>>>,
}

impl AuditKeys {
    /// Reads the keys in `folder`, and makes those that are not there.
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

    /// Makes one more key, which signs from then on, beside those that are there. An old one is retired by renaming its file.
    pub fn add_key(&self, now: DateTime<Utc>) -> Result<(), KeyError> {
        keyfile::make_pair(&self.folder, SUFFIX, now)?;
        self.reload()
    }

    /// What says beside the keys that a record from before there was a log has been taken over.
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

    /// Looks at the folder again: a key may have come or gone.
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

    /// What all logs are named after.
    pub fn name(&self) -> String {
        self.name.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on under a name that a database has already, unless another was chosen.
    pub(crate) fn accept_origin(&self, name: &str) -> bool {
        if self.chosen {
            return self.name() == name;
        }
        name.clone_into(&mut self.name.write().unwrap_or_else(PoisonError::into_inner));
        true
    }

    /// Which key seals, without telling it.
    pub(crate) fn key_fingerprint(&self) -> String {
        let mac = hmac::sign(&self.mac_key, b"which key is this?");
        mac.as_ref()[..8].iter().fold(String::new(), |print, byte| print + &format!("{byte:02x}"))
    }

    /// The name of a log: the first line of its checkpoints.
    pub fn origin(&self, org: Option<OrgId>) -> String {
        match org {
            Some(org) => format!("{}/{org}", self.name()),
            None => format!("{}/platform", self.name()),
        }
    }

    /// The keys that checkpoints of this log are signed with, as C2SP `signed-note` writes them.
    pub fn verifiers(&self, origin: &str) -> Vec<String> {
        self.signers(origin).iter().map(|signer| signer.verifier().to_text()).collect()
    }

    /// A checkpoint as a note, signed with every key.
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
            .ok_or_else(|| StoreError::Broken("there is no key to sign the log with".to_owned()))
    }

    /// Is this a checkpoint that this installation has signed, now or before, of this tree? Whoever has the database alone cannot make one.
    pub(crate) fn has_signed(&self, note: &str, tree: &Checkpoint) -> bool {
        let Ok(note) = Note::parse(note) else { return false };
        let retired = self.retired.read().unwrap_or_else(PoisonError::into_inner);
        let once = retired.iter().filter_map(|key| Signer::new(&tree.origin, Arc::clone(key)));
        let signed = self
            .signers(&tree.origin)
            .into_iter()
            .chain(once)
            .any(|signer| note.verify(&signer.verifier()).is_ok());
        signed && Checkpoint::of(&note).is_ok_and(|checkpoint| checkpoint == *tree)
    }

    /// A checkpoint of ours with the signatures of all keys that there are now. What is not ours stays as it is.
    pub(crate) fn with_current_signatures(&self, origin: &str, note: String) -> String {
        let ours = |parsed: &Note| {
            Checkpoint::of(parsed)
                .is_ok_and(|tree| tree.origin == origin && self.has_signed(&note, &tree))
        };
        let Some(parsed) = Note::parse(&note).ok().filter(ours) else { return note };
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

    /// The seal of an event on its way into the log: HMAC-SHA256 over the org, the event and its leaf.
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

    /// The salts of a new event.
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
