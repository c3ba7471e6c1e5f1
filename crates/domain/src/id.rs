//! Typed ids: a `UUIDv7` in the database, a `TypeID` (`org_01k…`) in text.
//!
//! The type parameter keeps a member's id from being used as an org's; in text the prefix does.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use typeid_suffix::prelude::TypeIdSuffix;
use uuid::Uuid;

/// Kind of an id.
pub trait Named {
    /// Prefix before the underscore, as in `org_01k…`.
    const PREFIX: &'static str;
    /// Name of the id's schema in the OpenAPI document: `MemberId`.
    const SCHEMA: &'static str;
}

/// Id of the kind `T`. Newer ids sort after older ones (`UUIDv7`, RFC 9562); lists are paginated by
/// id.
pub struct Id<T> {
    uuid: Uuid,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self { uuid, of: PhantomData }
    }

    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

impl<T: Named> Id<T> {
    /// Pattern of the id's text, as a regular expression.
    #[must_use]
    pub fn pattern() -> String {
        pattern(T::PREFIX)
    }
}

/// Pattern of ids with this prefix, as a regular expression.
pub(crate) fn pattern(prefix: &str) -> String {
    format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")
}

/// Declares the kinds of ids: alias, marker type, prefix and name of the OpenAPI schema.
macro_rules! ids {
    ($($alias:ident = $kind:ident $prefix:literal),+ $(,)?) => {
        /// Marker types for the parameter of [`Id`].
        pub mod kind {
            $(
                #[derive(Debug)]
                pub enum $kind {}
            )+
        }

        /// Prefixes of all kinds of ids.
        pub const PREFIXES: &[&str] = &[$($prefix),+];

        $(
            pub type $alias = Id<kind::$kind>;

            impl Named for kind::$kind {
                const PREFIX: &'static str = $prefix;
                const SCHEMA: &'static str = stringify!($alias);
            }
        )+
    };
}

ids! {
    OrgId = Org "org",
    UserId = User "user",
    MemberId = Member "mem",
    SessionId = Session "sess",
    ImpersonationId = Impersonation "imp",
    EventId = Event "evt",
}

/// The text is not an id of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form {prefix}_ followed by 26 characters")]
pub struct BadId {
    pub prefix: &'static str,
}

impl<T: Named> FromStr for Id<T> {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId { prefix: T::PREFIX };
        let suffix = text
            .strip_prefix(T::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(bad.clone())?;
        let id = TypeIdSuffix::from_str(suffix)
            .map(|suffix| Self::new(suffix.to_uuid()))
            .map_err(|_| bad.clone())?;
        // One text per id: a suffix that overflows 128 bits would be a second text for the same id.
        if id.to_string() == text { Ok(id) } else { Err(bad) }
    }
}

impl<T: Named> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", T::PREFIX, TypeIdSuffix::from(self.uuid))
    }
}

impl<T: Named> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: Named> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: Named> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

// Derived implementations would require the same traits of `T`.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use super::{Id, Named, Uuid};
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{ObjectBuilder, RefOr, Schema, Type},
    };

    impl<T: Named> PartialSchema for Id<T> {
        fn schema() -> RefOr<Schema> {
            let example = Id::<T>::new(Uuid::from_u128(0x019a_9f2e_5c00_7000_8000_0000_0000_0001));
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some(format!(
                    "ID (TypeID): `{}_` and 26 characters. IDs sort by time of creation.",
                    T::PREFIX
                )))
                .pattern(Some(Self::pattern()))
                .max_length(Some(T::PREFIX.len() + 27))
                .examples([example.to_string()])
                .into()
        }
    }

    impl<T: Named> ToSchema for Id<T> {
        fn name() -> std::borrow::Cow<'static, str> {
            T::SCHEMA.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_through_text() {
        let id = OrgId::new(Uuid::from_u128(0x0193_8a4b_0000_7abc_8def_0123_4567_89ab));
        assert!(id.to_string().starts_with("org_"), "{id} starts with the prefix of its type");
        assert_eq!(id.to_string().parse(), Ok(id), "{id} parses to the same id");
    }

    #[test]
    fn ids_of_other_types_and_alternative_spellings_are_rejected() {
        let id = UserId::new(Uuid::from_u128(7)).to_string();
        assert!(id.parse::<OrgId>().is_err(), "{id} is not the id of an org");
        for text in [
            "",
            "org",
            "org_",
            "org_0",
            "ORG_00000000000000000000000007",
            "org_80000000000000000000000000",
        ] {
            assert_eq!(text.parse::<OrgId>(), Err(BadId { prefix: "org" }), "{text}");
        }
        let upper = OrgId::new(Uuid::from_u128(u128::from(u32::MAX)))
            .to_string()
            .to_uppercase()
            .replace("ORG", "org");
        assert!(upper.parse::<OrgId>().is_err(), "{upper} is not the canonical spelling");
    }
}
