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
    /// Parses a path segment, in which a slug is in lower case: each org has one URL. An id
    /// contains an underscore, which a slug cannot. Texts that are neither are replaced by the
    /// empty slug, which no org has.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::of(text, text.to_owned()).unwrap_or_else(|| Self::Slug(String::new()))
    }

    fn of(id: &str, slug: String) -> Option<Self> {
        match id.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(_) => slug::is_slug(&slug).then_some(Self::Slug(slug)),
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

/// In query parameters and bodies, a slug can be in any case.
impl<'de> Deserialize<'de> for OrgKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::of(&text, text.to_ascii_lowercase())
            .ok_or_else(|| de::Error::custom("must be the ID or slug of an org"))
    }
}

#[cfg(feature = "openapi")]
impl OrgKey {
    /// Schema of a path segment.
    #[must_use]
    pub fn path_schema() -> utoipa::openapi::Object {
        Self::schema_with("ID or slug of an org.", "^[a-z0-9]+(-[a-z0-9]+)*$")
    }

    fn schema_with(description: &str, slug: &str) -> utoipa::openapi::Object {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some(description))
            .min_length(Some(3))
            .max_length(Some(40))
            .pattern(Some(format!("{}|{slug}", OrgId::pattern())))
            .examples(["acme"])
            .build()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for OrgKey {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let description = "ID or slug of an org. The case of a slug is ignored.";
        Self::schema_with(description, "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$").into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for OrgKey {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slugs_in_queries_and_bodies_ignore_case() {
        let read = |text: &str| serde_json::from_value::<OrgKey>(json!(text)).ok();
        for slug in ["acme-1", "ACME-1", "Acme-1"] {
            assert_eq!(read(slug), Some(OrgKey::Slug("acme-1".to_owned())), "{slug}");
        }
        let id = OrgId::new(uuid::Uuid::from_u128(1));
        assert_eq!(read(&id.to_string()), Some(OrgKey::Id(id)));
        let id = id.to_string().to_ascii_uppercase();
        for bad in ["", "AC", &id, "ACME_1", "Łódź", "\u{212a}elvin"] {
            assert_eq!(read(bad), None, "{bad} is no slug");
        }
    }

    #[test]
    fn slugs_in_paths_are_exact() {
        assert_eq!(OrgKey::parse("acme"), OrgKey::Slug("acme".to_owned()));
        assert_eq!(OrgKey::parse("ACME"), OrgKey::Slug(String::new()), "no org has this slug");
    }
}
