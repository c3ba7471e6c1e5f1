//! How a request names an org.

use postern_domain::{id::OrgId, text};

/// An id, or a slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrgKey {
    Id(OrgId),
    Slug(String),
}

impl OrgKey {
    /// What stands in a path; an id has an underscore, which a slug cannot have.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(id) => Self::Id(id),
            // What cannot be a slug names no org, and is nothing to trouble the database with; nor does an empty slug.
            Err(_) => Self::Slug(if text::is_slug(text) { text.to_owned() } else { String::new() }),
        }
    }
}
