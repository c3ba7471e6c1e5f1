//! Encryption of stored responses.

use postern_keystore::{Cipher, MacKey};
use serde::Serialize;

use super::{code::Code, problem::Problem, reply::Reply};

/// Encrypts stored responses (ChaCha20-Poly1305, RFC 8439), each bound to the hash of its key.
pub struct ResponseCipher {
    cipher: Cipher,
    fingerprints: MacKey,
}

impl ResponseCipher {
    /// Derives the keys for encryption and for hashes from `secret`.
    #[must_use]
    pub fn new(secret: &MacKey) -> Self {
        Self {
            cipher: Cipher::new(&secret.derive("responses")),
            fingerprints: MacKey::new(&secret.derive("fingerprints")),
        }
    }

    /// Keyed hash of a list. Keyed, because a body can contain a password, which could be guessed
    /// from a plain hash in a stolen database.
    pub fn fingerprint(&self, parts: &[&[u8]]) -> Vec<u8> {
        self.fingerprints.sign_parts(parts).to_vec()
    }

    pub fn encrypt<T: Serialize>(
        &self,
        reply: &Reply<T>,
        key_hash: &[u8],
    ) -> Result<Vec<u8>, Problem> {
        let json = serde_json::to_vec(reply).expect("replies serialize to JSON");
        Ok(self.cipher.encrypt(json, key_hash)?)
    }

    pub fn decrypt(&self, encrypted: Vec<u8>, key_hash: &[u8]) -> Result<Reply<()>, Problem> {
        let reply = self.cipher.decrypt(encrypted, key_hash).ok();
        reply.and_then(|json| serde_json::from_slice(&json).ok()).ok_or_else(|| {
            tracing::warn!("stored response was encrypted with another key");
            Problem::new(Code::Conflict).detail(
                "the stored response cannot be decrypted; check the current state before you \
                 retry with a new key",
            )
        })
    }
}
