//! Keys of the audit log, kept outside the database: the MAC key that authenticates queued events,
//! and the keys that sign checkpoints. With access to the database alone, events can be removed
//! but not forged.

pub mod checkpoints;

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use chrono::{DateTime, Utc};
use postern_tlog::Hash;
use uuid::Uuid;

use crate::{key_error::KeyError, keyfile, mac::MacKey, signing::SigningKey};

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
    mac_key: MacKey,
    /// Active keys, oldest first. Every active key signs, so that verifiers with the old and with
    /// the new key both succeed during a rotation.
    keys: RwLock<Vec<SigningKey>>,
    retired: RwLock<Vec<SigningKey>>,
}

/// File of the MAC key.
const MAC_KEY: &str = "audit.secret";

fn fingerprint(key: &MacKey) -> String {
    hex::encode(&key.sign(b"which key is this?")[..8])
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
        let mac_key = keyfile::secret(&folder.join(MAC_KEY))?;
        keyfile::make_first_key(folder, SUFFIX, now)?;
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
        keyfile::make_key(&self.folder, SUFFIX, now)?;
        self.reload()
    }

    /// Marker file beside the keys: events from before the transparency log have been backfilled.
    pub const BACKFILLED: &str = "log.backfilled";

    pub fn has_backfilled(&self) -> bool {
        self.folder.join(Self::BACKFILLED).exists()
    }

    pub fn mark_backfilled(&self) -> Result<(), KeyError> {
        if self.has_backfilled() {
            return Ok(());
        }
        keyfile::write_private(&self.folder.join(Self::BACKFILLED), b"")
    }

    /// Reads the folder again, for added and retired keys.
    pub fn reload(&self) -> Result<(), KeyError> {
        let read = |suffix| -> Result<Vec<SigningKey>, KeyError> {
            let files = keyfile::read_keys(&self.folder, suffix)?;
            Ok(files.into_iter().map(|file| file.key).collect())
        };
        let (keys, retired) = (read(SUFFIX)?, read(RETIRED)?);
        if keys.is_empty() {
            return Err(KeyError::NoSigningKey(self.folder.clone()));
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
    pub fn accept_origin(&self, name: &str) -> bool {
        if self.chosen {
            return self.name() == name;
        }
        name.clone_into(&mut self.name.write().unwrap_or_else(PoisonError::into_inner));
        true
    }

    /// Fingerprint of the MAC key, which does not reveal the key.
    pub fn key_fingerprint(&self) -> String {
        fingerprint(&self.mac_key)
    }

    /// Fingerprint of the MAC key in a folder; `None` if it has none.
    pub fn fingerprint_in(folder: &Path) -> Result<Option<String>, KeyError> {
        let path = folder.join(MAC_KEY);
        if !path.exists() {
            return Ok(None);
        }
        keyfile::read_secret(&path).map(|key| Some(fingerprint(&key)))
    }

    /// Origin of the log of an org, or of the platform: the first line of its checkpoints.
    pub fn origin(&self, org: Option<impl Display>) -> String {
        match org {
            Some(org) => format!("{}/{org}", self.name()),
            None => format!("{}/platform", self.name()),
        }
    }

    /// MAC of a queued event: HMAC-SHA256 over org, event id and leaf hash. The nil id is the
    /// platform.
    pub fn mac(&self, org: Uuid, event: Uuid, leaf: Hash) -> Vec<u8> {
        self.mac_key.sign(&mac_input(org, event, leaf)).to_vec()
    }

    pub fn verify_mac(&self, org: Uuid, event: Uuid, leaf: Hash, mac: &[u8]) -> bool {
        self.mac_key.verify(&mac_input(org, event, leaf), mac)
    }
}

fn mac_input(org: Uuid, event: Uuid, leaf: Hash) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..16].copy_from_slice(org.as_bytes());
    bytes[16..32].copy_from_slice(event.as_bytes());
    bytes[32..].copy_from_slice(&leaf.0);
    bytes
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use tempfile::TempDir;

    use super::*;

    pub fn open(folder: &TempDir, chosen: bool) -> AuditKeys {
        let secret = folder.path().join("audit.secret");
        fs::write(&secret, [7; 32]).expect("the secret is written");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("the mode is set");
        AuditKeys::open(folder.path(), "postern.example", chosen, DateTime::UNIX_EPOCH)
            .expect("the audit keys open")
    }

    #[test]
    fn formats_of_stored_values_do_not_change() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let keys = open(&folder, true);
        assert_eq!(
            keys.key_fingerprint(),
            "f5d8b1efcdb206c1",
            "the fingerprint stored in databases is unchanged"
        );
        let (org, event, leaf) = (Uuid::from_u128(1), Uuid::from_u128(2), Hash([3; 32]));
        let mac = keys.mac(org, event, leaf);
        assert_eq!(
            hex::encode(&mac),
            "aeb1aff95a4f46ce3d4f1d9f40fd6feda4860b640a48ae97cee3919e59f032e1",
            "MACs stored in databases stay valid"
        );
        assert!(keys.verify_mac(org, event, leaf, &mac), "the MAC verifies for its event");
        assert!(
            !keys.verify_mac(Uuid::nil(), event, leaf, &mac),
            "the MAC does not verify for another org"
        );
        assert_eq!(keys.origin(Some("org_1")), "postern.example/org_1");
        assert_eq!(keys.origin(None::<&str>), "postern.example/platform");
    }

    #[test]
    fn configured_origin_takes_precedence() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let keys = open(&folder, true);
        assert!(!keys.accept_origin("other.example"), "a configured origin is not replaced");
        assert_eq!(keys.name(), "postern.example", "the configured origin is kept");
        let keys = open(&folder, false);
        assert!(keys.accept_origin("other.example"), "the stored origin replaces the default");
        assert_eq!(keys.name(), "other.example", "the stored origin is used");
    }
}
