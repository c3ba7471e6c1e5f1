//! Justification of staff actions: a reason, visible to the customer, and a support ticket.

use std::{fmt, ops::RangeInclusive};

use serde::Deserialize;

use crate::text::{self, BadText};

/// Reason, visible to the customer: 15 to 500 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// Ticket in the support system, such as `SUP-4312`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRef(String);

/// Justification of a staff action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Justification {
    pub reason: Reason,
    /// `None` at the command line, where it is optional.
    pub ticket: Option<TicketRef>,
}

impl Reason {
    pub const LENGTH: RangeInclusive<usize> = 15..=500;
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadJustification {
    #[error(
        "a reason has 15 to 500 characters, at least 8 of them letters or digits, on one line; \
         blank ones do not count"
    )]
    Reason,
    #[error(transparent)]
    Character(BadText),
    #[error("a ticket has 1 to 64 letters, digits or . _ # / - and starts with a letter or digit")]
    Ticket,
}

impl TryFrom<String> for Reason {
    type Error = BadJustification;

    fn try_from(text: String) -> Result<Self, BadJustification> {
        let text = text::line(&text, Self::LENGTH).map_err(|error| match error {
            BadText::Length(_) => BadJustification::Reason,
            BadText::Character { .. } | BadText::Marks { .. } => BadJustification::Character(error),
        })?;
        // Rejects, for example, fifteen full stops.
        let has_words = text.chars().filter(|c| c.is_alphanumeric()).count() >= 8;
        if has_words { Ok(Self(text)) } else { Err(BadJustification::Reason) }
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
    "Reason, visible to the customer: 15 to 500 characters on one line, at least 8 of them letters \
     or digits. Blank and invisible characters do not count; surrounding spaces are removed."
);
wrapped_text!(
    TicketRef,
    1,
    64,
    Some("^[A-Za-z0-9][A-Za-z0-9._#/-]*$"),
    "SUP-4312",
    "Ticket in the support system: a letter or digit, then letters, digits or `. _ # / -`; at \
     most 64 characters."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_without_words_are_rejected() {
        for bad in ["", "too short", "               ", "...............", &"x".repeat(501)] {
            assert_eq!(Reason::try_from(bad.to_owned()), Err(BadJustification::Reason), "{bad:?}");
        }
        assert!(
            Reason::try_from("cannot open the reports".to_owned()).is_ok(),
            "a reason with words is accepted"
        );
    }

    #[test]
    fn invalid_tickets_are_rejected() {
        for bad in ["", "SUP 1", "-1", "SUP-1\n", &"1".repeat(65)] {
            assert_eq!(
                TicketRef::try_from(bad.to_owned()),
                Err(BadJustification::Ticket),
                "{bad:?}"
            );
        }
        assert!(
            TicketRef::try_from("SUP-4312".to_owned()).is_ok(),
            "a ticket reference is accepted"
        );
    }
}
