//! Keys on disk: files that only their owner reads, made at first start.
//!
//! Signing keys carry the time they were made in their name. A new one is published at once, signs after an activation
//! time (so that every replica and every integrator has seen it), and the one before it goes on verifying for an
//! overlap after that. Rotating is making a new file: `postern keys rotate`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{DecodingKey, EncodingKey};
use postern_persistence::keyfile::{self, KeyError, PairFile};
use ring::{digest, signature::KeyPair};
use serde_json::{Value, json};

use crate::config;

/// One key pair.
pub struct Key {
    /// RFC 7638 thumbprint.
    pub id: String,
    pub made_at: DateTime<Utc>,
    pub signing: EncodingKey,
    pub verifying: DecodingKey,
    public: Vec<u8>,
}

/// All signing keys that there are, the oldest first.
pub struct KeyRing {
    folder: PathBuf,
    activation: Duration,
    overlap: Duration,
    keys: RwLock<Vec<Arc<Key>>>,
}

const SUFFIX: &str = ".signing.pk8";

impl KeyRing {
    /// Reads the keys, and makes the first one where there is none.
    pub fn open(config: &config::Tokens, now: DateTime<Utc>) -> Result<Self, KeyError> {
        let folder = config.keys_dir.clone();
        keyfile::make_folder(&folder)?;
        let ring = Self {
            folder,
            activation: Duration::minutes(config.key_activation_minutes),
            overlap: Duration::minutes(config.key_overlap_minutes),
            keys: RwLock::default(),
        };
        ring.reload()?;
        if ring.all().is_empty() {
            ring.rotate(now)?;
            // Another replica may have made one at the same time: then both are there by now, and everybody uses the older.
            ring.reload()?;
        }
        Ok(ring)
    }

    /// Makes a new key; it signs once the activation time is over.
    pub fn rotate(&self, now: DateTime<Utc>) -> Result<(), KeyError> {
        keyfile::make_pair(&self.folder, SUFFIX, now)?;
        self.reload()
    }

    /// Reads every file of a folder as a server would, and makes none that is missing.
    pub fn examine(folder: &Path) -> Result<(), KeyError> {
        let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
        for path in entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.is_file())
        {
            let bytes = keyfile::read_private(&path)?;
            if path.extension().is_some_and(|ending| ending == "pk8") {
                keyfile::pair(&path, &bytes)?;
            }
        }
        Ok(())
    }

    /// Looks at the folder again: somebody may have rotated.
    pub fn reload(&self) -> Result<(), KeyError> {
        let pairs = keyfile::read_pairs(&self.folder, SUFFIX)?;
        let keys: Result<Vec<_>, _> =
            pairs.iter().map(|file| Key::of(file).map(Arc::new)).collect();
        let keys = keys?;
        if keys.is_empty() && !self.all().is_empty() {
            return Err(KeyError::Gone(self.folder.clone()));
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// The key to sign with: the newest that has been published for long enough, or else the oldest.
    pub fn signing(&self, now: DateTime<Utc>) -> Arc<Key> {
        let keys = self.all();
        let active = keys
            .iter()
            .rev()
            .find(|key| key.made_at + self.activation <= now)
            .or_else(|| keys.first());
        Arc::clone(active.expect("a ring is opened with a key"))
    }

    /// The key of that id, unless it has been retired.
    pub fn verifying(&self, id: &str, now: DateTime<Utc>) -> Option<Arc<Key>> {
        self.current(now).into_iter().find(|key| key.id == id)
    }

    /// The public keys (RFC 7517, RFC 8037).
    pub fn jwks(&self, now: DateTime<Utc>) -> Value {
        let keys: Vec<Value> = self
            .current(now)
            .iter()
            .map(|key| {
                let x = URL_SAFE_NO_PAD.encode(&key.public);
                json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id, "x": x })
            })
            .collect();
        json!({ "keys": keys })
    }

    /// A key is retired when its successor has been signing for the overlap.
    fn current(&self, now: DateTime<Utc>) -> Vec<Arc<Key>> {
        let keys = self.all();
        let retired = |n: usize| {
            keys.get(n + 1).is_some_and(|next| next.made_at + self.activation + self.overlap <= now)
        };
        keys.iter()
            .enumerate()
            .filter(|(n, _)| !retired(*n))
            .map(|(_, key)| Arc::clone(key))
            .collect()
    }

    fn all(&self) -> Vec<Arc<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Key {
    fn of(file: &PairFile) -> Result<Self, KeyError> {
        let pair = file.pair()?;
        let public = pair.public_key().as_ref().to_vec();
        let x = URL_SAFE_NO_PAD.encode(&public);
        // RFC 7638, 3.2 and RFC 8037, 2: the required members in lexicographic order.
        let thumbprint = digest::digest(
            &digest::SHA256,
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes(),
        );
        Ok(Self {
            id: URL_SAFE_NO_PAD.encode(thumbprint),
            made_at: file.made_at,
            signing: EncodingKey::from_ed_der(&file.bytes),
            verifying: DecodingKey::from_ed_der(&public),
            public,
        })
    }
}

/// The server's other secrets, one file each.
pub struct Secrets {
    /// For cursors.
    pub cursors: [u8; 32],
    /// For kept answers.
    pub answers: [u8; 32],
}

impl Secrets {
    /// Reads them, and makes those that are not there.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        keyfile::make_folder(folder)?;
        let secret = |name: &str| keyfile::secret(&folder.join(name));
        Ok(Self { cursors: secret("cursors.secret")?, answers: secret("answers.secret")? })
    }
}
