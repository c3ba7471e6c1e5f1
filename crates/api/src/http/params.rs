//! Arguments of handlers from path, query and headers.

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

/// A resource with an ID in paths, and the name of that path parameter.
pub trait PathParam: Named {
    const NAME: &'static str;
}

macro_rules! in_path {
    ($($thing:ty = $name:literal),+ $(,)?) => {
        $(impl PathParam for $thing {
            const NAME: &'static str = $name;
        })+
    };
}

in_path! {
    Member = "member", Session = "session", Impersonation = "impersonation",
    Event = "event", User = "user"
}

impl<T: PathParam> FromInput for Id<T> {
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

/// The path parameter `{key}`: a name, not an ID.
#[derive(Debug)]
pub struct PathKey(pub String);

impl FromInput for PathKey {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        Ok(Self(input.request.match_info().query("key").to_owned()))
    }
}

/// Versions in `If-Match` (RFC 9110, 13.1.1). None if the header is absent or `*`.
#[derive(Debug)]
pub struct IfMatch(pub Option<Vec<i64>>);

impl FromInput for IfMatch {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        let Some(text) = single(&input.request, "if-match")? else { return Ok(Self(None)) };
        if text.trim() == "*" {
            return Ok(Self(None));
        }
        let mut versions = Vec::new();
        for tag in text.split(',').map(str::trim) {
            // Weak tags and tags that Postern has not issued match no version: the edit is stale,
            // not malformed.
            let (strong, tag) = tag.strip_prefix("W/").map_or((true, tag), |weak| (false, weak));
            let Some(opaque) = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
                return Err(Problem::new(Code::InvalidHeader)
                    .detail("If-Match must contain an ETag as returned, in double quotes"));
            };
            versions.extend(
                opaque.parse().ok().filter(|version: &i64| strong && version.to_string() == opaque),
            );
        }
        Ok(Self(Some(versions)))
    }
}

/// Requested page of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Maximum number of rows, 1 to 100.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 25, example = 25)]
    pub limit: u64,
    /// `next_cursor` or `prev_cursor` of another page, unchanged. Omit it for the first page.
    #[param(value_type = Option<String>, max_length = 200)]
    pub cursor: Option<String>,
    /// All other query parameters; a cursor is bound to them.
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
                    paging.limit = limit.ok_or_else(|| {
                        invalid("limit", "range", "must be an integer from 1 to 100")
                    })?;
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

/// Query parameters of an operation, except those of paging.
pub trait Filter: DeserializeOwned + Validate {
    const NAMES: &'static [&'static str];
}

#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: Filter> FromInput for Query<T> {
    const QUERY: &'static [&'static str] = T::NAMES;

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let filters: Vec<_> = pairs(input.request.query_string())?
            .into_iter()
            .filter(|(name, _)| T::NAMES.contains(&name.as_str()))
            .collect();
        let encoded = serde_urlencoded::to_string(filters)
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

/// Rejects unknown and repeated query parameters: ignoring them would hide a mistake of the caller.
pub fn refuse_unknown(query: &str, known: &[&[&str]]) -> Result<(), Problem> {
    let mut seen: Vec<String> = Vec::new();
    for (name, _) in pairs(query)? {
        if !known.iter().any(|names| names.contains(&name.as_str())) {
            return Err(invalid(&name, "unknown", "the operation has no such parameter"));
        }
        if seen.contains(&name) {
            return Err(invalid(&name, "duplicate", "the parameter is given more than once"));
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
                    "must not contain U+0000",
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

/// Value of the `Authorization` header, if present. Fails if there are several.
pub fn authorization(headers: &header::HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| Problem::new(Code::InvalidToken))
        }
        (Some(_), Some(_)) => Err(Problem::new(Code::InvalidToken)
            .detail("the request has more than one Authorization header")),
    }
}

/// Value of a header, if present. Fails if it is repeated or not visible ASCII.
pub fn single<'a>(request: &'a HttpRequest, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = request.headers().get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| {
            Problem::new(Code::InvalidHeader).detail(format!("{name} must be visible ASCII"))
        }),
        (Some(_), Some(_)) => {
            Err(Problem::new(Code::InvalidHeader).detail(format!("{name} is given more than once")))
        }
    }
}
