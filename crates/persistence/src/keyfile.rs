//! Key files: readable only by their owner, and written completely or not at all. Each family of
//! keys has a suffix. Names of key pairs contain the creation time, so that they sort by age.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::Ed25519KeyPair,
};

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{0}: readable by other users; run `chmod 600` on it")]
    Readable(PathBuf),
    #[error("{0}: not an Ed25519 key in PKCS#8 version 2")]
    NotAKey(PathBuf),
    #[error("{0}: no signing key left; the keys loaded before stay in use")]
    Gone(PathBuf),
    #[error("{0}: not a secret of 32 bytes")]
    NotASecret(PathBuf),
    #[error("the system's random number generator failed")]
    NoRandom,
}

const MOMENT: &str = "%Y%m%dT%H%M%S%.6fZ";

/// Creates the folder with mode 0700 if it does not exist.
pub fn make_folder(folder: &Path) -> Result<(), KeyError> {
    let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(|source| KeyError::Io { path: folder.to_owned(), source })
}

/// Creates an Ed25519 key pair in a file named after `now`.
pub fn make_pair(folder: &Path, suffix: &str, now: DateTime<Utc>) -> Result<(), KeyError> {
    let pair =
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::NoRandom)?;
    write_private(&folder.join(format!("{}{suffix}", now.format(MOMENT))), pair.as_ref())
}

/// A key pair and its file.
pub struct PairFile {
    pub path: PathBuf,
    pub made_at: DateTime<Utc>,
    /// PKCS#8.
    pub bytes: Vec<u8>,
}

impl PairFile {
    pub fn pair(&self) -> Result<Ed25519KeyPair, KeyError> {
        pair(&self.path, &self.bytes)
    }
}

/// Reads the key pairs of a family, oldest first.
pub fn read_pairs(folder: &Path, suffix: &str) -> Result<Vec<PairFile>, KeyError> {
    let entries =
        fs::read_dir(folder).map_err(|source| KeyError::Io { path: folder.to_owned(), source })?;
    let mut pairs = Vec::new();
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(made_at) = name.strip_suffix(suffix) {
            let made_at =
                DateTime::parse_from_str(&format!("{made_at}+0000"), &format!("{MOMENT}%z"));
            let made_at = made_at.map_err(|_| KeyError::NotAKey(path.clone()))?.to_utc();
            let bytes = read_private(&path)?;
            pairs.push(PairFile { path, made_at, bytes });
        }
    }
    pairs.sort_by_key(|file| file.made_at);
    Ok(pairs)
}

/// Parses a key pair.
pub fn pair(path: &Path, bytes: &[u8]) -> Result<Ed25519KeyPair, KeyError> {
    Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| KeyError::NotAKey(path.to_owned()))
}

/// Reads a secret of 32 bytes, or creates it if the file does not exist.
pub fn secret(path: &Path) -> Result<[u8; 32], KeyError> {
    if !path.exists() {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| KeyError::NoRandom)?;
        match write_private(path, &bytes) {
            // Another replica created the secret first; that one is used.
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
            result => result?,
        }
    }
    read_private(path)?.try_into().map_err(|_| KeyError::NotASecret(path.to_owned()))
}

/// Writes a new file with mode 0600, completely or not at all. Fails if the file exists.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    let mut name = [0; 8];
    SystemRandom::new().fill(&mut name).map_err(|_| KeyError::NoRandom)?;
    let unfinished = path.with_extension(format!("{:016x}.unfinished", u64::from_be_bytes(name)));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    // Unlike a rename, a hard link does not replace a file that was created in the meantime.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished).map_err(failed)?;
    linked.map_err(failed)
}

/// Reads a file. Fails if users other than its owner have access.
pub fn read_private(path: &Path) -> Result<Vec<u8>, KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Readable(path.to_owned()));
    }
    fs::read(path).map_err(failed)
}
