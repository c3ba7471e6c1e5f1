//! The forms in which a request names an org.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::{id::OrgId, slug};

/// An org id or slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrgKey {
    Id(OrgId),
    Slug(String),
}

impl OrgKey {
    /// Parses a path segment. An id contains an underscore, which a slug cannot. Texts that are
    /// neither are replaced by the empty slug, which no org has.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::parse_strictly(text).unwrap_or_else(|| Self::Slug(String::new()))
    }

    fn parse_strictly(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(_) => slug::is_slug(text).then(|| Self::Slug(text.to_owned())),
        }
    }
}

impl fmt::Display for OrgKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Slug(slug) => f.write_str(slug),
        }
    }
}

impl<'de> Deserialize<'de> for OrgKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_strictly(&text)
            .ok_or_else(|| de::Error::custom("must be the ID or slug of an org"))
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for OrgKey {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some("ID or slug of an org."))
            .min_length(Some(3))
            .max_length(Some(40))
            .pattern(Some(format!("{}|^[a-z0-9]+(-[a-z0-9]+)*$", OrgId::pattern())))
            .examples(["acme"])
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for OrgKey {}
