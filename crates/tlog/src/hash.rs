//! RFC 6962, 2.1: SHA-256 with a prefix byte that separates leaves from inner nodes, so that
//! neither has the hash of the other.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::digest::{Context, SHA256};

/// The hash of an entry, of an inner node, or of a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// SHA-256 of the concatenation of `parts`.
    #[must_use]
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part);
        }
        Self(context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// Leaf hash of an entry: SHA-256(0x00 ‖ entry).
    #[must_use]
    pub fn of_leaf(entry: &[u8]) -> Self {
        Self::of_parts(&[&[0], entry])
    }

    /// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
    #[must_use]
    pub fn of_node(left: Self, right: Self) -> Self {
        Self::of_parts(&[&[1], &left.0, &right.0])
    }

    /// Root hash of an empty tree: SHA-256 of the empty string.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::of_parts(&[])
    }

    /// Base64 form, as in checkpoints and proofs.
    #[must_use]
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}
