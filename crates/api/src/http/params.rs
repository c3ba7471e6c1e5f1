//! What handlers take from the path, the query and the headers.

use actix_web::{HttpRequest, http::header};
use postern_domain::{
    Id, event::Event, id::Named, impersonation::Impersonation, member::Member, session::Session,
    user::User,
};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use validator::Validate;

use super::{
    body,
    code::Code,
    input::{FromInput, Input},
    problem::Problem,
};

/// What has an id in a path, and under which name.
pub trait InPath: Named {
    const NAME: &'static str;
}

macro_rules! in_path {
    ($($thing:ty = $name:literal),+ $(,)?) => {
        $(impl InPath for $thing {
            const NAME: &'static str = $name;
        })+
    };
}

in_path! { Member = "member", Session = "session", Impersonation = "impersonation", Event = "event", User = "user" }

impl<T: InPath> FromInput for Id<T> {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        let text = input.request.match_info().query(T::NAME);
        text.parse().map_err(|error: postern_domain::id::BadId| {
            Problem::new(Code::InvalidId).detail(error.to_string()).field(
                format!("/{}", T::NAME),
                "format",
                error.to_string(),
            )
        })
    }
}

/// The `{key}` of a path, where it is a word and no id.
#[derive(Debug)]
pub struct Word(pub String);

impl FromInput for Word {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        Ok(Self(input.request.match_info().query("key").to_owned()))
    }
}

/// The versions in `If-Match`, if there are any (RFC 9110, 13.1.1).
#[derive(Debug)]
pub struct Precondition(pub Option<Vec<i64>>);

impl FromInput for Precondition {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        let Some(text) = single(&input.request, "if-match")? else { return Ok(Self(None)) };
        if text.trim() == "*" {
            return Ok(Self(None));
        }
        let mut versions = Vec::new();
        for tag in text.split(',').map(str::trim) {
            // A weak tag matches nothing here, nor does one that we did not give out: such an edit is stale, not malformed.
            let (strong, tag) = tag.strip_prefix("W/").map_or((true, tag), |weak| (false, weak));
            let Some(opaque) = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
                return Err(Problem::new(Code::InvalidHeader)
                    .detail("If-Match takes an ETag as it was given, in double quotes"));
            };
            versions.extend(
                opaque.parse().ok().filter(|version: &i64| strong && version.to_string() == opaque),
            );
        }
        Ok(Self(Some(versions)))
    }
}

/// The page of a list that is asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many rows at the most: 1 to 100.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 25, example = 25)]
    pub limit: u64,
    /// `next_cursor` or `prev_cursor` of another page, as it was given; left out for the first page.
    #[param(value_type = Option<String>, max_length = 200)]
    pub cursor: Option<String>,
    /// The rest of the query, to which a cursor is bound.
    #[param(ignore)]
    pub filters: String,
}

impl FromInput for Paging {
    const QUERY: &'static [&'static str] = &["limit", "cursor"];

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let mut paging = Self { limit: 25, cursor: None, filters: String::new() };
        let mut filters = Vec::new();
        for (name, value) in pairs(input.request.query_string())? {
            match name.as_str() {
                "limit" => {
                    let digits =
                        (1..=3).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
                    let limit =
                        value.parse().ok().filter(|limit| digits && (1..=100).contains(limit));
                    paging.limit = limit
                        .ok_or_else(|| invalid("limit", "range", "a whole number from 1 to 100"))?;
                }
                "cursor" => paging.cursor = Some(value),
                _ => filters.push((name, value)),
            }
        }
        filters.sort();
        paging.filters = format!("{filters:?}");
        Ok(paging)
    }
}

/// The query parameters of an operation, besides those of paging.
pub trait Filter: DeserializeOwned + Validate {
    const NAMES: &'static [&'static str];
}

#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: Filter> FromInput for Query<T> {
    const QUERY: &'static [&'static str] = T::NAMES;

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let own: Vec<_> = pairs(input.request.query_string())?
            .into_iter()
            .filter(|(name, _)| T::NAMES.contains(&name.as_str()))
            .collect();
        let encoded = serde_urlencoded::to_string(own)
            .map_err(|error| invalid("", "invalid", &error.to_string()))?;
        let query = serde_urlencoded::Deserializer::new(form_urlencoded::parse(encoded.as_bytes()));
        let query: T = serde_path_to_error::deserialize(query).map_err(|error| {
            invalid(&error.path().to_string(), "invalid", &error.inner().to_string())
        })?;
        query.validate().map_err(|errors| {
            Problem::new(Code::InvalidQuery).fields(body::field_errors(&errors))
        })?;
        Ok(Self(query))
    }
}

/// A parameter that nobody understands is a mistake of the caller's, and silence would hide it.
pub fn refuse_unknown(query: &str, known: &[&[&str]]) -> Result<(), Problem> {
    let mut seen: Vec<String> = Vec::new();
    for (name, _) in pairs(query)? {
        if !known.iter().any(|names| names.contains(&name.as_str())) {
            return Err(invalid(&name, "unknown", "the operation does not take this parameter"));
        }
        if seen.contains(&name) {
            return Err(invalid(&name, "duplicate", "the parameter is there twice"));
        }
        seen.push(name);
    }
    Ok(())
}

fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| {
            if name.contains('\0') || value.contains('\0') {
                return Err(invalid(
                    &name.replace('\0', ""),
                    "nul_character",
                    "the character U+0000 is not accepted",
                ));
            }
            Ok((name.into_owned(), value.into_owned()))
        })
        .collect()
}

fn invalid(name: &str, code: &str, detail: &str) -> Problem {
    Problem::new(Code::InvalidQuery).detail(format!("{name}: {detail}")).field(
        format!("/{}", body::escape(name)),
        code,
        detail,
    )
}

/// The one `Authorization` header of a request, if it has one.
pub fn authorization(headers: &header::HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| Problem::new(Code::InvalidToken))
        }
        (Some(_), Some(_)) => {
            Err(Problem::new(Code::InvalidToken)
                .detail("there is more than one Authorization header"))
        }
    }
}

/// The value of a header, if it is there once and can be read.
pub fn single<'a>(request: &'a HttpRequest, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = request.headers().get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| {
            Problem::new(Code::InvalidHeader).detail(format!("{name} has characters outside ASCII"))
        }),
        (Some(_), Some(_)) => {
            Err(Problem::new(Code::InvalidHeader).detail(format!("{name} is there twice")))
        }
    }
}
