//! Validation rules for `validator`, each with a message that says what is accepted; and
//! deserializers for fields that can be omitted or null.

use std::{fmt, marker::PhantomData};

use chrono::{DateTime, Datelike, Utc};
use postern_domain::{
    action::Action,
    slug,
    text::{self, BadText},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use validator::ValidationError;

use super::field_code::FieldCode;

fn rule(holds: bool, code: FieldCode, expected: &'static str) -> Result<(), ValidationError> {
    if holds {
        Ok(())
    } else {
        Err(ValidationError::new(code.name()).with_message(expected.into()))
    }
}

/// A name, with or without surrounding spaces. Store the result of `text::normalized`.
pub fn name(value: &str) -> Result<(), ValidationError> {
    text::name(value).map(drop).map_err(|error| bad_text(&error, FieldCode::Name))
}

fn bad_text(error: &BadText, length: FieldCode) -> ValidationError {
    let code = match error {
        BadText::Length(_) => length,
        BadText::Character { .. } | BadText::Marks { .. } => FieldCode::Character,
    };
    ValidationError::new(code.name()).with_message(error.to_string().into())
}

pub fn slug(value: &str) -> Result<(), ValidationError> {
    rule(
        slug::is_slug(value),
        FieldCode::Slug,
        "must have 3 to 40 lower-case letters, digits and single hyphens, no hyphen at either end",
    )?;
    rule(
        !slug::is_reserved(value),
        FieldCode::Reserved,
        "is reserved: choose another slug, such as the name of the company",
    )
}

/// An e-mail address, with or without surrounding spaces. Store the result of `text::email`.
pub fn email(value: &str) -> Result<(), ValidationError> {
    rule(
        text::is_email(&text::email(value)),
        FieldCode::Email,
        "must be an e-mail address like name@example.com, at most 254 characters",
    )
}

pub fn color(value: &str) -> Result<(), ValidationError> {
    rule(text::is_color(value), FieldCode::Color, "must be a color like #0a7d5c")
}

pub fn picture_url(value: &str) -> Result<(), ValidationError> {
    rule(
        text::is_picture_url(value),
        FieldCode::Url,
        "must be an https URL with a public host name and no port, at most 500 characters",
    )
}

pub fn search(value: &str) -> Result<(), ValidationError> {
    rule(
        (2..=100).contains(&value.trim().chars().count()),
        FieldCode::Length,
        "must have 2 to 100 characters, not counting leading and trailing spaces",
    )?;
    visible(value)
}

/// Text that a list is filtered by.
pub fn filter_text(value: &str) -> Result<(), ValidationError> {
    rule(value.chars().count() <= 100, FieldCode::Length, "must have at most 100 characters")?;
    visible(value)
}

/// Text that is recorded: no invisible characters. Add a rule for its length.
pub fn visible(value: &str) -> Result<(), ValidationError> {
    text::check_characters(value).map_err(|error| bad_text(&error, FieldCode::Length))
}

/// An audit action, or a group of them such as `user.*`.
pub fn action_filter(value: &str) -> Result<(), ValidationError> {
    let known = Action::ALL.iter().any(|action| match value.strip_suffix('*') {
        Some(kind) => kind.ends_with('.') && action.name().starts_with(kind),
        None => action.name() == value,
    });
    rule(known, FieldCode::Action, "must be an audit action, or a group of them such as user.*")
}

/// A time from 1970 to 9999: the range that both databases can compare.
pub fn time(value: &DateTime<Utc>) -> Result<(), ValidationError> {
    rule((1970..=9999).contains(&value.year()), FieldCode::Time, "must be a time from 1970 to 9999")
}

/// A time in a query. The error message shows the format. Use it like [`maybe`].
pub fn when<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = String::deserialize(deserializer)?;
    let moment = DateTime::parse_from_rfc3339(&value);
    moment
        .map(|moment| Some(moment.to_utc()))
        .map_err(|_| de::Error::custom("must be a time with offset, like 2026-11-20T00:00:00Z"))
}

/// For a field that can be omitted but not null. Use it like [`maybe`].
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// For an object that can be omitted but not null. Use it like [`maybe`]. (serde alone also accepts
/// an array of the field values.)
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    struct Members<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members))
        }
    }

    deserializer.deserialize_map(Members(PhantomData)).map(Some)
}

/// For a field that can be omitted (`None`), null (`Some(None)`) or set.
///
/// Use it as `#[serde(default, deserialize_with = "rules::maybe")]`.
pub fn maybe<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
