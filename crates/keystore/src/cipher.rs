//! Authenticated encryption: ChaCha20-Poly1305 (RFC 8439) with a random nonce per message.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::random::{self, RandomError};

/// The ciphertext was changed, encrypted with another key, or bound to other data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext does not belong to this key and context")]
pub struct InvalidCiphertext;

/// Encryption key. It implements neither `Debug` nor `Serialize`.
pub struct Cipher(LessSafeKey);

impl Cipher {
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, secret).expect("the key has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Encrypts `message` to nonce ‖ ciphertext ‖ tag. Decryption requires the same `context`,
    /// which is authenticated but not included.
    pub fn encrypt(&self, mut message: Vec<u8>, context: &[u8]) -> Result<Vec<u8>, RandomError> {
        let nonce = random::bytes::<NONCE_LEN>()?;
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut message,
            )
            .expect("the message is shorter than 256 GiB");
        message.splice(..0, nonce);
        Ok(message)
    }

    /// Decrypts the result of [`Cipher::encrypt`].
    pub fn decrypt(
        &self,
        mut encrypted: Vec<u8>,
        context: &[u8],
    ) -> Result<Vec<u8>, InvalidCiphertext> {
        let (nonce, body) = encrypted.split_first_chunk_mut().ok_or(InvalidCiphertext)?;
        let message = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), body)
            .map_err(|_| InvalidCiphertext)?;
        Ok(message.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decryption_requires_key_context_and_whole_ciphertext() {
        let cipher = Cipher::new(&[1; 32]);
        let encrypted = cipher.encrypt(b"message".to_vec(), b"context").expect("encrypted");
        assert_eq!(
            encrypted.len(),
            NONCE_LEN + b"message".len() + CHACHA20_POLY1305.tag_len(),
            "the ciphertext has a nonce and a tag"
        );
        assert_eq!(
            cipher.decrypt(encrypted.clone(), b"context"),
            Ok(b"message".to_vec()),
            "decryption returns the message"
        );
        let invalid = Err(InvalidCiphertext);
        assert_eq!(
            cipher.decrypt(encrypted.clone(), b"other"),
            invalid,
            "another context is rejected"
        );
        assert_eq!(
            Cipher::new(&[2; 32]).decrypt(encrypted.clone(), b"context"),
            invalid,
            "another key is rejected"
        );
        for length in 0..encrypted.len() {
            assert_eq!(
                cipher.decrypt(encrypted[..length].to_vec(), b"context"),
                invalid,
                "{length} bytes are rejected"
            );
        }
    }

    #[test]
    fn equal_messages_encrypt_differently() {
        let cipher = Cipher::new(&[1; 32]);
        assert_ne!(
            cipher.encrypt(Vec::new(), b""),
            cipher.encrypt(Vec::new(), b""),
            "each message has its own nonce"
        );
    }

    #[test]
    fn ciphertext_matches_rfc_8439() {
        // Section 2.8.2, with the nonce in front.
        let key: [u8; 32] = std::array::from_fn(|n| 0x80 + u8::try_from(n).expect("below 32"));
        let encrypted = "070000004041424344454647\
            d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6\
            3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36\
            92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc\
            3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691";
        let message = Cipher::new(&key).decrypt(
            hex::decode(encrypted).expect("hexadecimal"),
            &hex::decode("50515253c0c1c2c3c4c5c6c7").expect("hexadecimal"),
        );
        assert_eq!(
            message.expect("a valid ciphertext"),
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
              future, sunscreen would be it."
        );
    }
}
