//! String enums: closed lists of values, as an enum in Rust, as text in the database and in JSON.

/// Defines an enum with a text for each variant: its name in `snake_case`, as in JSON and in the
/// OpenAPI document.
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
            /// All values in the order of declaration, which is also their `Ord`.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Parses the text of a value, as stored in the database.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == text)
            }
        }

        // A derived implementation would also accept an object with the value as its key.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    serde::de::Error::custom(concat!("one of" $(, " ", $text)+))
                })
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

/// OpenAPI schema of a string enum: its description, and each value with its description.
#[cfg(feature = "openapi")]
pub(crate) fn schema(
    list: &str,
    values: &[(&str, &str)],
) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use utoipa::openapi::{ObjectBuilder, Type};
    let items = values
        .iter()
        .filter(|(_, about)| !about.is_empty())
        .map(|(value, about)| format!("- `{value}`:{about}"));
    let mut lines = vec![list.trim().to_owned()];
    lines.extend(items);
    if lines.len() > 1 {
        // Markdown requires an empty line before a list.
        lines.insert(1, String::new());
    }
    let description = lines.join("\n");
    let values: Vec<&str> = values.iter().map(|(value, _)| *value).collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(values))
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
                $(for value in <$list>::ALL {
                    let json = serde_json::to_value(value).ok();
                    assert_eq!(json.as_ref().and_then(|json| json.as_str()), Some(value.name()));
                    assert_eq!(<$list>::parse(value.name()), Some(*value));
                })+
            };
        }
        agree!(ActorType, Outcome, TargetType, FeatureKey, Plan, Mode, Role, Tier);
    }
}
