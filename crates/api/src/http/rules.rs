//! Rules on input in the shape `validator` wants, each with what it expects in words; and fields that may be left out or
//! be null.

use std::{fmt, marker::PhantomData};

use chrono::{DateTime, Datelike, Utc};
use postern_domain::{action::Action, text};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use validator::ValidationError;

fn rule(holds: bool, code: &'static str, expected: &'static str) -> Result<(), ValidationError> {
    if holds { Ok(()) } else { Err(ValidationError::new(code).with_message(expected.into())) }
}

pub fn name(given: &str) -> Result<(), ValidationError> {
    rule(text::is_name(given), "name", "1 to 100 characters on one line, without space around them")
}

pub fn slug(given: &str) -> Result<(), ValidationError> {
    rule(
        text::is_slug(given),
        "slug",
        "3 to 40 lower-case letters, digits and single hyphens inside",
    )
}

pub fn email(given: &str) -> Result<(), ValidationError> {
    rule(
        text::is_email(given),
        "email",
        "an e-mail address looks like name@example.com and has at most 254 characters",
    )
}

pub fn color(given: &str) -> Result<(), ValidationError> {
    rule(text::is_color(given), "color", "a color looks like #0a7d5c")
}

pub fn picture_url(given: &str) -> Result<(), ValidationError> {
    rule(
        text::is_picture_url(given),
        "url",
        "an https address on a public host, of at most 500 characters",
    )
}

pub fn search(given: &str) -> Result<(), ValidationError> {
    rule(
        (2..=100).contains(&given.trim().chars().count()),
        "length",
        "2 to 100 characters, without space around them",
    )
}

/// An action of the catalogue, or all of a kind of them as in `user.*`.
pub fn action_filter(given: &str) -> Result<(), ValidationError> {
    let known = Action::ALL.iter().any(|action| match given.strip_suffix('*') {
        Some(kind) => kind.ends_with('.') && action.name().starts_with(kind),
        None => action.name() == given,
    });
    rule(known, "action", "an action of the catalogue, or a kind of them as in user.*")
}

/// From 1970 to 9999: what both databases can compare.
pub fn moment(given: &DateTime<Utc>) -> Result<(), ValidationError> {
    rule((1970..=9999).contains(&given.year()), "moment", "a time from 1970 to 9999")
}

/// A moment of a query, told how it is written where it is not. To be used as `maybe` is.
pub fn when<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let given = String::deserialize(deserializer)?;
    let moment = DateTime::parse_from_rfc3339(&given);
    moment
        .map(|moment| Some(moment.to_utc()))
        .map_err(|_| de::Error::custom("a time with its offset, as in 2026-11-20T00:00:00Z"))
}

/// For a field that may be left out but is not null. To be used as `maybe` is.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// For an object that may be left out but is not null. To be used as `maybe` is. (serde alone would take a list of its values as well.)
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

/// For a field that may be left out (`None`), be null (`Some(None)`) or have a value.
///
/// To be used as `#[serde(default, deserialize_with = "rules::maybe")]`.
pub fn maybe<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
