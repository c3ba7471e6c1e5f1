//! Closed lists of words: as an enumeration here, as text in the database and on the wire.

/// Makes an enumeration of words, each with its text: the name in `snake_case`, as serde and the contract have it.
macro_rules! words {
    (
        $(#[doc = $list:literal])+ $name:ident {
            $($(#[doc = $about:literal])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[doc = $list])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[doc = $about])* $variant),+ }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::words::schema(concat!($($list),+), &[$(($text, concat!($($about),*))),+])
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}

        impl $name {
            /// In the order they are stated, which is the order they compare in.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The word as the database keeps it, read back.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.name() == text)
            }
        }

        // A derive would take an object with the word for its key as well.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("one of" $(, " ", $text)+)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use words;

/// A closed list in the contract: what it is about, and each word with what it means.
#[cfg(feature = "openapi")]
pub(crate) fn schema(
    list: &str,
    words: &[(&str, &str)],
) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use utoipa::openapi::{ObjectBuilder, Type};
    let explained = words
        .iter()
        .filter(|(_, about)| !about.is_empty())
        .map(|(word, about)| format!("- `{word}`:{about}"));
    let mut lines = vec![list.trim().to_owned()];
    lines.extend(explained);
    if lines.len() > 1 {
        // In Markdown a list stands by itself.
        lines.insert(1, String::new());
    }
    let description = lines.join("\n");
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::{
        event::{ActorType, Outcome, TargetType},
        feature::{FeatureKey, Plan},
        impersonation::Mode,
        role::Role,
        staff::Tier,
    };

    #[test]
    fn the_wire_says_what_the_database_keeps() {
        macro_rules! agree {
            ($($list:ty),+) => {
                $(for word in <$list>::ALL {
                    assert_eq!(serde_json::to_value(word).ok().as_ref().and_then(|json| json.as_str()), Some(word.name()));
                    assert_eq!(<$list>::parse(word.name()), Some(*word));
                })+
            };
        }
        agree!(ActorType, Outcome, TargetType, FeatureKey, Plan, Mode, Role, Tier);
    }
}
