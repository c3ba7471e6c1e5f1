//! Ed25519 signatures (RFC 8032).

use std::sync::Arc;

use ring::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use secrecy::{ExposeSecret, SecretSlice};

use crate::random::RandomError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 key in PKCS#8 version 2")]
pub struct InvalidKey;

/// Key pair. It implements neither `Debug` nor `Serialize`.
pub struct SigningKey {
    pair: Arc<Ed25519KeyPair>,
    pkcs8: SecretSlice<u8>,
}

impl SigningKey {
    pub fn generate() -> Result<Self, RandomError> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| RandomError)?;
        Ok(Self::from_pkcs8(document.as_ref()).expect("a generated key is valid"))
    }

    /// Parses a private key (RFC 8410, with the public key).
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, InvalidKey> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| InvalidKey)?;
        Ok(Self { pair: Arc::new(pair), pkcs8: pkcs8.to_vec().into() })
    }

    /// The private key, as parsed by [`SigningKey::from_pkcs8`].
    #[must_use]
    pub fn expose_pkcs8(&self) -> &[u8] {
        self.pkcs8.expose_secret()
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The 64 bytes of the signature of `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// Key pair for `postern-tlog`.
    pub(crate) fn pair(&self) -> Arc<Ed25519KeyPair> {
        Arc::clone(&self.pair)
    }
}

/// Reports whether `signature` is a signature of `message` by this key.
#[must_use]
pub fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 2, as PKCS#8 version 2.
    const KEY: &str = "3053020101300506032b657004220420\
        4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb\
        a123032100\
        3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

    #[test]
    fn signature_matches_rfc_8032() {
        let key = SigningKey::from_pkcs8(&hex::decode(KEY).expect("hexadecimal")).expect("a key");
        assert_eq!(
            hex::encode(key.sign(&[0x72])),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert_eq!(hex::encode(key.expose_pkcs8()), KEY, "the key is exported as it was imported");
        assert_eq!(SigningKey::from_pkcs8(b"").err(), Some(InvalidKey), "an empty key is rejected");
    }

    #[test]
    fn verification_requires_key_message_and_signature() {
        let (key, other) =
            (SigningKey::generate().expect("a key"), SigningKey::generate().expect("a key"));
        let signature = key.sign(b"message");
        assert!(verify(key.public_key(), b"message", &signature), "the signature verifies");
        assert!(!verify(other.public_key(), b"message", &signature), "another key is rejected");
        assert!(!verify(key.public_key(), b"other", &signature), "another message is rejected");
        assert!(
            !verify(key.public_key(), b"message", &signature[..63]),
            "a truncated signature is rejected"
        );
        assert!(!verify(b"", b"message", &signature), "an empty public key is rejected");
    }
}
