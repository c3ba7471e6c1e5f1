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

        impl $crate::string_enum::serde::Serialize for $name {
            fn serialize<S: $crate::string_enum::serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        // A derived implementation would also accept an object with the value as its key.
        impl<'de> $crate::string_enum::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::string_enum::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                use $crate::string_enum::serde::{Deserialize, de::Error};

                let text = <String as Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    let names = [$($text),+].join(", ");
                    Error::custom(format_args!("must be one of {names}"))
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

#[doc(hidden)]
pub use serde;

/// OpenAPI schema of a string enum: its description, and each value with its description.
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub fn schema(
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
