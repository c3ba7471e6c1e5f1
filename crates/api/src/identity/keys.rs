//! Keys on disk: files that only their owner reads, made at first start.
//!
//! Signing keys carry the time they were made in their name. A new one is published at once, signs after an activation
//! time (so that every replica and every integrator has seen it), and the one before it goes on verifying for an
//! overlap after that. Rotating is making a new file: `postern keys rotate`.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{DecodingKey, EncodingKey};
use ring::{
    digest,
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

use crate::config;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{0}: others than its owner may read it; run `chmod 600` on it")]
    Readable(PathBuf),
    #[error("{0}: not an Ed25519 key in PKCS#8 version 2")]
    NotAKey(PathBuf),
    #[error("{0}: the signing keys are gone; those read before stay in use")]
    Gone(PathBuf),
    #[error("{0}: a secret has 32 bytes")]
    NotASecret(PathBuf),
    #[error("the system gives no random numbers")]
    NoRandom,
}

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
        make_folder(&folder)?;
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
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::NoRandom)?;
        let name = format!("{}{SUFFIX}", now.format("%Y%m%dT%H%M%S%.6fZ"));
        write_private(&self.folder.join(name), pair.as_ref())?;
        self.reload()
    }

    /// Reads every file of a folder as a server would, and makes none that is missing.
    pub fn examine(folder: &Path) -> Result<(), KeyError> {
        let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|path| path.is_file()) {
            read_private(&path)?;
            if path.to_str().is_some_and(|path| path.ends_with(SUFFIX)) {
                Key::read(&path, DateTime::UNIX_EPOCH)?;
            }
        }
        Ok(())
    }

    /// Looks at the folder again: somebody may have rotated.
    pub fn reload(&self) -> Result<(), KeyError> {
        let entries = fs::read_dir(&self.folder).map_err(|source| KeyError::Io { path: self.folder.clone(), source })?;
        let mut keys = Vec::new();
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(made_at) = name.strip_suffix(SUFFIX) {
                let made_at = DateTime::parse_from_str(&format!("{made_at}+0000"), "%Y%m%dT%H%M%S%.6fZ%z");
                let made_at = made_at.map_err(|_| KeyError::NotAKey(path.clone()))?.to_utc();
                keys.push(Arc::new(Key::read(&path, made_at)?));
            }
        }
        if keys.is_empty() && !self.all().is_empty() {
            return Err(KeyError::Gone(self.folder.clone()));
        }
        keys.sort_by_key(|key| key.made_at);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// The key to sign with: the newest that has been published for long enough, or else the oldest.
    pub fn signing(&self, now: DateTime<Utc>) -> Arc<Key> {
        let keys = self.all();
        let active = keys.iter().rev().find(|key| key.made_at + self.activation <= now).or_else(|| keys.first());
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
        let retired = |n: usize| keys.get(n + 1).is_some_and(|next| next.made_at + self.activation + self.overlap <= now);
        keys.iter().enumerate().filter(|(n, _)| !retired(*n)).map(|(_, key)| Arc::clone(key)).collect()
    }

    fn all(&self) -> Vec<Arc<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Key {
    fn read(path: &Path, made_at: DateTime<Utc>) -> Result<Self, KeyError> {
        let bytes = read_private(path)?;
        let pair = Ed25519KeyPair::from_pkcs8(&bytes).map_err(|_| KeyError::NotAKey(path.to_owned()))?;
        let public = pair.public_key().as_ref().to_vec();
        let x = URL_SAFE_NO_PAD.encode(&public);
        // RFC 7638, 3.2 and RFC 8037, 2: the required members in lexicographic order.
        let thumbprint = digest::digest(&digest::SHA256, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes());
        Ok(Self {
            id: URL_SAFE_NO_PAD.encode(thumbprint),
            made_at,
            signing: EncodingKey::from_ed_der(&bytes),
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
        make_folder(folder)?;
        Ok(Self { cursors: secret(&folder.join("cursors.secret"))?, answers: secret(&folder.join("answers.secret"))? })
    }
}

fn secret(path: &Path) -> Result<[u8; 32], KeyError> {
    if !path.exists() {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| KeyError::NoRandom)?;
        match write_private(path, &bytes) {
            // Another replica was first; its secret is as good.
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
            done => done?,
        }
    }
    read_private(path)?.try_into().map_err(|_| KeyError::NotASecret(path.to_owned()))
}

fn make_folder(folder: &Path) -> Result<(), KeyError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| KeyError::Io { path: folder.to_owned(), source })
}

/// Writes a new file that only its owner reads; all of it, or none.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    let mut name = [0; 8];
    SystemRandom::new().fill(&mut name).map_err(|_| KeyError::NoRandom)?;
    let unfinished = path.with_extension(format!("{:016x}.unfinished", u64::from_be_bytes(name)));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    // A link, unlike a renaming, does not replace what somebody else has put there meanwhile.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished).map_err(failed)?;
    linked.map_err(failed)
}

fn read_private(path: &Path) -> Result<Vec<u8>, KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Readable(path.to_owned()));
    }
    fs::read(path).map_err(failed)
}
