//! Keys that sign access tokens, in files that only their owner can read. The first one is created
//! at the first start.
//!
//! The file name of a signing key contains its creation time. A new key is published at once and
//! signs after an activation time, when every replica and integrator has seen it. The previous key
//! verifies tokens for an overlap after that. `postern keys rotate` creates a new key.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    digest::sha256,
    key_error::KeyError,
    keyfile::{self, KeyFile},
    signing::SigningKey,
};

/// Signing key pair with its id.
pub struct TokenKey {
    /// Thumbprint (RFC 7638).
    pub id: String,
    pub created_at: DateTime<Utc>,
    pub key: SigningKey,
}

/// Times at which a new key replaces the previous one.
#[derive(Debug, Clone, Copy)]
pub struct KeySchedule {
    /// Time from the creation of a key to its first signature.
    pub activation: TimeDelta,
    /// Time after that in which the previous key still verifies.
    pub overlap: TimeDelta,
}

/// All signing keys, oldest first.
pub struct KeyRing {
    folder: PathBuf,
    schedule: KeySchedule,
    keys: RwLock<Vec<Arc<TokenKey>>>,
}

const SUFFIX: &str = ".signing.pk8";

impl KeyRing {
    /// Reads the keys. Creates the first one if there is none.
    pub fn open(
        folder: &Path,
        schedule: KeySchedule,
        now: DateTime<Utc>,
    ) -> Result<Self, KeyError> {
        keyfile::make_folder(folder)?;
        let ring = Self { folder: folder.to_owned(), schedule, keys: RwLock::default() };
        keyfile::make_first_key(folder, SUFFIX, now)?;
        ring.reload()?;
        Ok(ring)
    }

    /// Creates a key, which signs after the activation time.
    pub fn rotate(&self, now: DateTime<Utc>) -> Result<(), KeyError> {
        keyfile::make_key(&self.folder, SUFFIX, now)?;
        self.reload()
    }

    /// Reads the folder again, to pick up rotated keys.
    pub fn reload(&self) -> Result<(), KeyError> {
        let files = keyfile::read_keys(&self.folder, SUFFIX)?;
        if files.is_empty() && !self.all().is_empty() {
            return Err(KeyError::NoSigningKey(self.folder.clone()));
        }
        let keys = files.into_iter().map(|file| Arc::new(TokenKey::of(file))).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Signing key: the newest one past its activation time, otherwise the oldest.
    pub fn signing(&self, now: DateTime<Utc>) -> Arc<TokenKey> {
        let keys = self.all();
        let active = keys
            .iter()
            .rev()
            .find(|key| key.created_at + self.schedule.activation <= now)
            .or_else(|| keys.first());
        Arc::clone(active.expect("a key ring has at least one key"))
    }

    /// Key with this id, unless it is retired.
    pub fn verifying(&self, id: &str, now: DateTime<Utc>) -> Option<Arc<TokenKey>> {
        self.current(now).into_iter().find(|key| key.id == id)
    }

    /// JSON Web Key Set of the public keys (RFC 7517, RFC 8037).
    pub fn jwks(&self, now: DateTime<Utc>) -> Value {
        let keys: Vec<Value> = self
            .current(now)
            .iter()
            .map(|key| {
                let x = URL_SAFE_NO_PAD.encode(key.key.public_key());
                json!({
                    "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
                    "kid": key.id, "x": x,
                })
            })
            .collect();
        json!({ "keys": keys })
    }

    /// Keys that are not retired: a key retires once its successor has signed for the overlap.
    fn current(&self, now: DateTime<Utc>) -> Vec<Arc<TokenKey>> {
        let keys = self.all();
        let KeySchedule { activation, overlap } = self.schedule;
        let retired = |n: usize| {
            keys.get(n + 1).is_some_and(|next| next.created_at + activation + overlap <= now)
        };
        keys.iter()
            .enumerate()
            .filter(|(n, _)| !retired(*n))
            .map(|(_, key)| Arc::clone(key))
            .collect()
    }

    fn all(&self) -> Vec<Arc<TokenKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl TokenKey {
    fn of(file: KeyFile) -> Self {
        let x = URL_SAFE_NO_PAD.encode(file.key.public_key());
        // RFC 7638, 3.2 and RFC 8037, 2: required members in lexicographic order.
        let thumbprint = sha256(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes());
        Self { id: URL_SAFE_NO_PAD.encode(thumbprint), created_at: file.created_at, key: file.key }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SCHEDULE: KeySchedule =
        KeySchedule { activation: TimeDelta::minutes(10), overlap: TimeDelta::minutes(60) };

    #[test]
    fn id_is_the_thumbprint_of_rfc_8037() {
        // Appendix A.1 and A.3, the private key as PKCS#8 version 2.
        let pkcs8 = "3053020101300506032b657004220420\
            9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\
            a123032100\
            d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let key = SigningKey::from_pkcs8(&hex::decode(pkcs8).expect("hexadecimal"));
        let file = KeyFile { created_at: DateTime::UNIX_EPOCH, key: key.expect("a key") };
        assert_eq!(TokenKey::of(file).id, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn new_key_replaces_the_previous_one_on_schedule() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let start = DateTime::UNIX_EPOCH;
        let ring = KeyRing::open(folder.path(), SCHEDULE, start).expect("the first key is created");
        let first = ring.signing(start).id.clone();
        let rotated = start + TimeDelta::minutes(1);
        ring.rotate(rotated).expect("the key is rotated");
        let published = |now| ring.jwks(now)["keys"].as_array().expect("an array").len();
        assert_eq!(published(rotated), 2, "a new key is published at once");
        let activated = rotated + SCHEDULE.activation;
        assert_eq!(
            ring.signing(activated - TimeDelta::seconds(1)).id,
            first,
            "the old key signs until the activation of the new one"
        );
        let second = ring.signing(activated).id.clone();
        assert_ne!(second, first, "the new key signs after its activation");
        let retired = activated + SCHEDULE.overlap;
        assert!(
            ring.verifying(&first, retired - TimeDelta::seconds(1)).is_some(),
            "the old key verifies until the overlap ends"
        );
        assert!(ring.verifying(&first, retired).is_none(), "the old key is retired");
        assert!(ring.verifying(&second, retired).is_some(), "the new key verifies");
        assert_eq!(published(retired), 1, "a retired key is not published");
    }

    #[test]
    fn keys_stay_in_use_when_their_files_disappear() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let ring = KeyRing::open(folder.path(), SCHEDULE, DateTime::UNIX_EPOCH).expect("a key");
        for entry in fs::read_dir(folder.path()).expect("the folder is readable") {
            fs::remove_file(entry.expect("an entry").path()).expect("the file is removed");
        }
        assert!(
            matches!(ring.reload(), Err(KeyError::NoSigningKey(_))),
            "a reload without keys fails"
        );
        ring.signing(DateTime::UNIX_EPOCH);
    }
}
