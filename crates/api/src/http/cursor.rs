//! Pagination cursors: a position in a list, signed so that a cursor works only with its own list,
//! filters and caller.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use postern_keystore::MacKey;
use postern_persistence::repository::page::PageStart;
use uuid::Uuid;

use super::{code::Code, field_code::FieldCode, problem::Problem};

/// Signs cursors. A cursor is valid as long as the server keeps the secret.
pub struct CursorKey(MacKey);

/// Length of the authentication tag in a cursor, in bytes.
const TAG: usize = 16;

impl CursorKey {
    #[must_use]
    pub const fn new(key: MacKey) -> Self {
        Self(key)
    }

    /// A cursor that continues at `from` in the list that `belongs_to` identifies.
    #[must_use]
    pub fn sign(&self, from: PageStart, belongs_to: &str) -> String {
        let mut bytes = position(from).to_vec();
        bytes.extend_from_slice(&self.tag(from, belongs_to)[..TAG]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn verify(&self, cursor: &str, belongs_to: &str) -> Result<PageStart, Problem> {
        let invalid = || {
            Problem::new(Code::InvalidCursor).field(
                "/cursor",
                FieldCode::Invalid,
                "not issued for this list",
            )
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (position, tag) = bytes.split_at_checked(17).ok_or_else(invalid)?;
        let id = Uuid::from_slice(&position[1..]).map_err(|_| invalid())?;
        let from =
            if position[0] == NEWER { PageStart::NewerThan(id) } else { PageStart::OlderThan(id) };
        let expected = &self.tag(from, belongs_to)[..TAG];
        // Not in constant time: a forged cursor gives access to nothing beyond the list.
        if tag == expected { Ok(from) } else { Err(invalid()) }
    }

    fn tag(&self, from: PageStart, belongs_to: &str) -> [u8; 32] {
        self.0.sign(&[&position(from), belongs_to.as_bytes()].concat())
    }
}

/// First byte of a cursor that points to newer rows.
const NEWER: u8 = 1;

fn position(from: PageStart) -> [u8; 17] {
    let (direction, id) = match from {
        PageStart::Newest => (0, Uuid::max()),
        PageStart::OlderThan(id) => (0, id),
        PageStart::NewerThan(id) => (NEWER, id),
    };
    let mut bytes = [direction; 17];
    bytes[1..].copy_from_slice(id.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_is_valid_for_its_own_list_only() {
        let key = CursorKey::new(MacKey::new(b"secret"));
        let from = PageStart::OlderThan(Uuid::from_u128(7));
        let cursor = key.sign(from, "list_members acme");
        assert_eq!(
            key.verify(&cursor, "list_members acme").expect("a valid cursor"),
            from,
            "a cursor decodes to its start"
        );
        let back = key.sign(PageStart::NewerThan(Uuid::from_u128(7)), "list_members acme");
        assert_eq!(
            key.verify(&back, "list_members acme").expect("a valid cursor"),
            PageStart::NewerThan(Uuid::from_u128(7)),
            "the direction is preserved"
        );
        for (cursor, list) in [
            (cursor.as_str(), "list_members globex"),
            ("", "list_members acme"),
            ("AAAA", "x"),
            ("%%", "x"),
        ] {
            assert_eq!(
                key.verify(cursor, list).expect_err("an invalid cursor").code(),
                Code::InvalidCursor,
                "{cursor:?} is not a cursor of {list}"
            );
        }
        let other = CursorKey::new(MacKey::new(b"other"));
        assert!(
            other.verify(&cursor, "list_members acme").is_err(),
            "a cursor of another key is rejected"
        );
    }
}
