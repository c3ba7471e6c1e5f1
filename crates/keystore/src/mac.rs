//! Message authentication codes: HMAC-SHA256 (RFC 2104).

use ring::hmac;

/// HMAC-SHA256 key. It implements neither `Debug` nor `Serialize`.
pub struct MacKey(hmac::Key);

impl MacKey {
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        tag(hmac::sign(&self.0, message))
    }

    /// MAC of a list. Each part is preceded by its length, so that different lists have different
    /// MACs even if their concatenations are equal.
    #[must_use]
    pub fn sign_parts(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        tag(context.sign())
    }

    /// Reports whether `mac` is the whole MAC of `message`. Takes constant time.
    #[must_use]
    pub fn verify(&self, message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.0, message, mac).is_ok()
    }

    /// Derives a secret for one purpose: the MAC of the purpose's name.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        self.sign(purpose.as_bytes())
    }
}

fn tag(tag: hmac::Tag) -> [u8; 32] {
    tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_matches_rfc_4231() {
        // Test case 2.
        let mac = MacKey::new(b"Jefe").sign(b"what do ya want for nothing?");
        assert_eq!(
            hex::encode(mac),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn verification_requires_key_message_and_whole_mac() {
        let key = MacKey::new(b"secret");
        let mac = key.sign(b"message");
        assert!(key.verify(b"message", &mac), "the MAC verifies for its message");
        assert!(!key.verify(b"other", &mac), "another message is rejected");
        assert!(!key.verify(b"message", &mac[..16]), "a truncated MAC is rejected");
        assert!(!MacKey::new(b"other").verify(b"message", &mac), "another key is rejected");
    }

    #[test]
    fn mac_depends_on_part_boundaries() {
        let key = MacKey::new(b"secret");
        assert_ne!(
            key.sign_parts(&[b"ab", b"c"]),
            key.sign_parts(&[b"a", b"bc"]),
            "parts are delimited"
        );
        assert_eq!(
            key.sign_parts(&[b"a"]),
            key.sign(b"\0\0\0\0\0\0\0\x01a"),
            "each part is preceded by its length"
        );
        assert_ne!(
            key.derive("responses"),
            key.derive("fingerprints"),
            "derived keys depend on their purpose"
        );
    }
}
