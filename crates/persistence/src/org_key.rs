//! The forms in which a request names an org.

use postern_domain::{id::OrgId, text};

/// An org id or slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrgKey {
    Id(OrgId),
    Slug(String),
}

impl OrgKey {
    /// Parses a path segment. An id contains an underscore, which a slug cannot.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(id) => Self::Id(id),
            // Invalid slugs are replaced by the empty one, which no org has either.
            Err(_) => Self::Slug(if text::is_slug(text) { text.to_owned() } else { String::new() }),
        }
    }
}
