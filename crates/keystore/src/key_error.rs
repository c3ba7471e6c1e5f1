//! Errors of key files and their directories.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::random::RandomError;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{0}: accessible to other users, or to a group that this process is not in; \
         run `chmod 600` on it, or `chmod 440` if it belongs to a group of this process \
         (in Kubernetes `defaultMode: 0440` with `fsGroup`)"
    )]
    Readable(PathBuf),
    #[error(
        "{0}: other users, or a group that this process is not in, can add and replace keys in \
         this directory; run `chmod go-w` on it"
    )]
    Writable(PathBuf),
    #[error(
        "{path}: belongs to the user {owner}; run `chown` on it: key files belong to the user of \
         this process, to root, or to the owner of their directory"
    )]
    Owner { path: PathBuf, owner: u32 },
    #[error("{0}: not a regular file")]
    NotAFile(PathBuf),
    #[error("{0}: not an Ed25519 key in PKCS#8 version 2")]
    NotAKey(PathBuf),
    #[error("{0}: no signing key left; the keys loaded before stay in use")]
    NoSigningKey(PathBuf),
    #[error("{0}: not a secret of 32 bytes")]
    NotASecret(PathBuf),
    #[error(transparent)]
    NoRandom(#[from] RandomError),
}

impl KeyError {
    /// Error of the operating system for a path.
    pub fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
