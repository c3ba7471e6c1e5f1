//! Secrets of the API server besides its signing keys, one file each.

use std::path::Path;

use crate::{key_error::KeyError, keyfile, mac::MacKey};

pub struct Secrets {
    /// Key for signing pagination cursors.
    pub cursors: MacKey,
    /// Key from which those for the responses stored for idempotent replays are derived.
    pub responses: MacKey,
}

impl Secrets {
    /// Reads the secrets. Creates missing ones.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        keyfile::make_folder(folder)?;
        let secret = |name: &str| keyfile::secret(&folder.join(name));
        Ok(Self { cursors: secret("cursors.secret")?, responses: secret("responses.secret")? })
    }
}
