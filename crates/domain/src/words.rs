//! Closed lists of words: as an enumeration here, as text in the database and on the wire.

/// Makes an enumeration of words, each with its text: the name in `snake_case`, as serde and the contract have it.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$doc])* $variant),+ }

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

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use words;

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
