//! Cursors: where a list goes on, sealed so that one works only for the list, the filters and the caller it was given to.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use uuid::Uuid;

use super::problem::{Code, Problem};

/// Seals cursors. They live as long as the process's secrets do.
pub struct CursorKey(hmac::Key);

/// Bytes of the authentication tag that a cursor carries: 128 bits.
const TAG: usize = 16;

impl CursorKey {
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// A cursor that goes on after `last` in the list that `belongs_to` describes.
    #[must_use]
    pub fn seal(&self, last: Uuid, belongs_to: &str) -> String {
        let mut bytes = last.as_bytes().to_vec();
        bytes.extend_from_slice(&self.tag(last, belongs_to)[..TAG]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn open(&self, cursor: &str, belongs_to: &str) -> Result<Uuid, Problem> {
        let forged = || Problem::new(Code::InvalidCursor).field("/cursor", "invalid", "not a cursor of this list");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| forged())?;
        let (id, tag) = bytes.split_at_checked(16).ok_or_else(forged)?;
        let id = Uuid::from_slice(id).map_err(|_| forged())?;
        let expected = &self.tag(id, belongs_to)[..TAG];
        // A cursor opens nothing that the list would not show: comparing in constant time would protect no secret.
        if tag == expected { Ok(id) } else { Err(forged()) }
    }

    fn tag(&self, id: Uuid, belongs_to: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(id.as_bytes());
        context.update(belongs_to.as_bytes());
        context.sign().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let key = CursorKey::new(b"secret");
        let cursor = key.seal(Uuid::from_u128(7), "list_members acme");
        assert_eq!(key.open(&cursor, "list_members acme").expect("its own"), Uuid::from_u128(7));
        for (cursor, list) in [(cursor.as_str(), "list_members globex"), ("", "list_members acme"), ("AAAA", "x"), ("%%", "x")] {
            assert_eq!(key.open(cursor, list).expect_err("another's").code(), Code::InvalidCursor);
        }
        let other = CursorKey::new(b"other");
        assert!(other.open(&cursor, "list_members acme").is_err());
    }
}
