//! Keys on disk: files that only their owner reads, made whole or not at all. Each family of keys has a suffix; what is made once in a
//! while carries the time at which it was made in its name, so that the order of keys is the order of names.

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

const MOMENT: &str = "%Y%m%dT%H%M%S%.6fZ";

/// Makes the folder, for its owner alone, if it is not there.
pub fn make_folder(folder: &Path) -> Result<(), KeyError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| KeyError::Io { path: folder.to_owned(), source })
}

/// Makes an Ed25519 key pair, named after the moment.
pub fn make_pair(folder: &Path, suffix: &str, now: DateTime<Utc>) -> Result<(), KeyError> {
    let pair =
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::NoRandom)?;
    write_private(&folder.join(format!("{}{suffix}", now.format(MOMENT))), pair.as_ref())
}

/// A key pair as it stands in its file.
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

/// The key pairs of a family, the oldest first.
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

/// A key pair out of its file.
pub fn pair(path: &Path, bytes: &[u8]) -> Result<Ed25519KeyPair, KeyError> {
    Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| KeyError::NotAKey(path.to_owned()))
}

/// Reads a secret of 32 bytes, and makes it where it is not there.
pub fn secret(path: &Path) -> Result<[u8; 32], KeyError> {
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

/// Writes a new file that only its owner reads; all of it, or none.
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
    // A link, unlike a renaming, does not replace what somebody else has put there meanwhile.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished).map_err(failed)?;
    linked.map_err(failed)
}

/// Reads a file that nobody but its owner may read.
pub fn read_private(path: &Path) -> Result<Vec<u8>, KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Readable(path.to_owned()));
    }
    fs::read(path).map_err(failed)
}
