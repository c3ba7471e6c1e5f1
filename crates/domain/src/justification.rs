//! Why staff do what they do: a reason that a customer can read, and the ticket it belongs to.

use std::{fmt, ops::RangeInclusive};

use serde::Deserialize;

use crate::text;

/// Why, in words the customer will read: 15 to 500 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// The ticket in the support system, as in `SUP-4312`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRef(String);

impl Reason {
    pub const LENGTH: RangeInclusive<usize> = 15..=500;
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadJustification {
    #[error("a reason is 15 to 500 characters of text, without control characters")]
    Reason,
    #[error("a ticket is 1 to 64 letters, digits and any of . _ # / - as in SUP-4312")]
    Ticket,
}

impl TryFrom<String> for Reason {
    type Error = BadJustification;

    fn try_from(text: String) -> Result<Self, BadJustification> {
        let trimmed = text.trim();
        // Fifteen full stops are no reason.
        let says_something = trimmed.chars().filter(|c| c.is_alphanumeric()).count() >= 8;
        if text::is_line(trimmed, Self::LENGTH) && says_something {
            Ok(Self(trimmed.to_owned()))
        } else {
            Err(BadJustification::Reason)
        }
    }
}

impl TryFrom<String> for TicketRef {
    type Error = BadJustification;

    fn try_from(text: String) -> Result<Self, BadJustification> {
        let fits = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._#/-".contains(c));
        if fits { Ok(Self(text)) } else { Err(BadJustification::Ticket) }
    }
}

macro_rules! wrapped_text {
    ($name:ident, $min:literal, $max:literal, $pattern:expr, $example:literal, $about:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::try_from(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some($about))
                    .pattern($pattern)
                    .min_length(Some($min))
                    .max_length(Some($max))
                    .examples([$example])
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}

wrapped_text!(
    Reason,
    15,
    500,
    None::<String>,
    "customer cannot open the reports page",
    "Why, in words that the customer will read: 15 to 500 characters."
);
wrapped_text!(
    TicketRef,
    1,
    64,
    Some("^[A-Za-z0-9][A-Za-z0-9._#/-]*$"),
    "SUP-4312",
    "The ticket in the support system: a letter or digit, then letters, digits and any of `. _ # / -`; at most 64."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_to_say_something() {
        for bad in [
            "",
            "too short",
            "               ",
            "...............",
            "fifteen chars\0 and a nul",
            &"x".repeat(501),
        ] {
            assert_eq!(Reason::try_from(bad.to_owned()), Err(BadJustification::Reason), "{bad:?}");
        }
        assert!(Reason::try_from("cannot open the reports".to_owned()).is_ok());
    }

    #[test]
    fn a_ticket_is_one_word() {
        for bad in ["", "SUP 1", "-1", "SUP-1\n", &"1".repeat(65)] {
            assert_eq!(
                TicketRef::try_from(bad.to_owned()),
                Err(BadJustification::Ticket),
                "{bad:?}"
            );
        }
        assert!(TicketRef::try_from("SUP-4312".to_owned()).is_ok());
    }
}
