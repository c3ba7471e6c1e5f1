//! String enums: closed lists of values, as an enum in Rust, as text in the database and in JSON.

/// Defines an enum with a text for each variant: the only way to declare such an enum.
///
/// The enum has `ALL` (the values in the order of declaration, which is also their `Ord`), `name`
/// and `parse`, and is displayed and serialized as its text.
#[macro_export]
macro_rules! string_enum {
    (
        $(#[doc = $list:literal])+ $name:ident {
            $($(#[doc = $about:literal])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[doc = $list])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $about])* $variant),+ }

        impl $name {
            /// Description of the enum.
            pub const DESCRIPTION: &str = concat!($($list),+);

            /// All values in the order of declaration, which is also their `Ord`.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Text of the value.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Description of the value; may be empty.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!("", $($about),*)),+ }
            }

            /// Parses the text of a value.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == text)
            }
        }

        impl $crate::string_enums::serde::Serialize for $name {
            fn serialize<S: $crate::string_enums::serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        // A derived implementation would also accept an object with the value as its key.
        impl<'de> $crate::string_enums::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::string_enums::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                use $crate::string_enums::serde::{Deserialize, de::Error};

                let text = <String as Deserialize>::deserialize(deserializer)?;
                Self::parse(&text)
                    .ok_or_else(|| Error::custom(concat!("one of" $(, " ", $text)+)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

/// Implements the OpenAPI schema of string enums, from their descriptions.
macro_rules! string_enum_schema {
    ($($name:ident),+) => {
        $(
            #[cfg(feature = "openapi")]
            impl utoipa::PartialSchema for $name {
                fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                    let values: Vec<_> =
                        Self::ALL.iter().map(|value| (value.name(), value.about())).collect();
                    $crate::string_enums::schema(Self::DESCRIPTION, &values)
                }
            }

            #[cfg(feature = "openapi")]
            impl utoipa::ToSchema for $name {}
        )+
    };
}

pub(crate) use string_enum_schema;

#[doc(hidden)]
pub use serde;

/// OpenAPI schema of a string enum: its description, and each value with its description.
#[cfg(feature = "openapi")]
pub(crate) fn schema(
    description: &str,
    values: &[(&str, &str)],
) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use utoipa::openapi::{ObjectBuilder, Type};
    let items = values
        .iter()
        .filter(|(_, about)| !about.is_empty())
        .map(|(value, about)| format!("- `{value}`:{about}"));
    let mut lines = vec![description.trim().to_owned()];
    lines.extend(items);
    if lines.len() > 1 {
        // Markdown requires an empty line before a list.
        lines.insert(1, String::new());
    }
    let values: Vec<&str> = values.iter().map(|(value, _)| *value).collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(lines.join("\n")))
        .enum_values(Some(values))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::{
        action::Action,
        event::ActorType,
        event_draft::{Outcome, TargetType},
        feature::FeatureKey,
        mode::Mode,
        permission::Permission,
        plan::Plan,
        role::Role,
        tier::Tier,
    };

    #[test]
    fn database_and_json_have_the_same_text() {
        macro_rules! agree {
            ($($list:ty),+) => {
                $(for value in <$list>::ALL {
                    let json = serde_json::to_value(value).ok();
                    assert_eq!(json.as_ref().and_then(|json| json.as_str()), Some(value.name()));
                    assert_eq!(<$list>::parse(value.name()), Some(*value));
                })+
            };
        }
        agree!(
            Action, ActorType, FeatureKey, Mode, Outcome, Permission, Plan, Role, TargetType, Tier
        );
    }
}
