//! Keys on disk, in files that only their owner can read. They are created at the first start.
//!
//! The file name of a signing key contains its creation time. A new key is published at once and
//! signs after an activation time, when every replica and integrator has seen it. The previous key
//! verifies tokens for an overlap after that. `postern keys rotate` creates a new key.

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

/// Signing key pair.
pub struct Key {
    /// Thumbprint (RFC 7638).
    pub id: String,
    pub made_at: DateTime<Utc>,
    pub signing: EncodingKey,
    pub verifying: DecodingKey,
    public: Vec<u8>,
}

/// All signing keys, oldest first.
pub struct KeyRing {
    folder: PathBuf,
    activation: Duration,
    overlap: Duration,
    keys: RwLock<Vec<Arc<Key>>>,
}

const SUFFIX: &str = ".signing.pk8";

impl KeyRing {
    /// Reads the keys. Creates the first one if there is none.
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
            // Another replica may have created a key at the same time: read both, so that all
            // replicas use the older one.
            ring.reload()?;
        }
        Ok(ring)
    }

    /// Creates a key, which signs after the activation time.
    pub fn rotate(&self, now: DateTime<Utc>) -> Result<(), KeyError> {
        keyfile::make_pair(&self.folder, SUFFIX, now)?;
        self.reload()
    }

    /// Validates every file of a folder as the server does on start, without creating any.
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

    /// Reads the folder again, to pick up rotated keys.
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

    /// Signing key: the newest one past its activation time, otherwise the oldest.
    pub fn signing(&self, now: DateTime<Utc>) -> Arc<Key> {
        let keys = self.all();
        let active = keys
            .iter()
            .rev()
            .find(|key| key.made_at + self.activation <= now)
            .or_else(|| keys.first());
        Arc::clone(active.expect("a key ring has at least one key"))
    }

    /// Key with this id, unless it is retired.
    pub fn verifying(&self, id: &str, now: DateTime<Utc>) -> Option<Arc<Key>> {
        self.current(now).into_iter().find(|key| key.id == id)
    }

    /// JSON Web Key Set of the public keys (RFC 7517, RFC 8037).
    pub fn jwks(&self, now: DateTime<Utc>) -> Value {
        let keys: Vec<Value> = self
            .current(now)
            .iter()
            .map(|key| {
                let x = URL_SAFE_NO_PAD.encode(&key.public);
                json!({
                    "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
                    "kid": key.id, "x": x,
                })
            })
            .collect();
        json!({ "keys": keys })
    }

    /// Keys that are not retired: a key retires once its successor has signed for the overlap.
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
        // RFC 7638, 3.2 and RFC 8037, 2: required members in lexicographic order.
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

/// Other secrets of the server, one file each.
pub struct Secrets {
    /// Key for signing pagination cursors.
    pub cursors: [u8; 32],
    /// Key for encrypting the responses stored for idempotent replays.
    pub answers: [u8; 32],
}

impl Secrets {
    /// Reads the secrets. Creates missing ones.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        keyfile::make_folder(folder)?;
        let secret = |name: &str| keyfile::secret(&folder.join(name));
        Ok(Self { cursors: secret("cursors.secret")?, answers: secret("answers.secret")? })
    }
}
