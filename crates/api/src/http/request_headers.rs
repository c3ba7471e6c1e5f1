//! Request headers.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap},
};
use utoipa::openapi::{
    Object, RefOr, Required, Schema,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

use super::{
    code::Code,
    input::{FromInput, Input},
    path,
    problem::Problem,
};

/// Documents an optional request header.
pub fn parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// Versions in `If-Match` (RFC 9110, 13.1.1). None if the header is absent or `*`.
#[derive(Debug)]
pub struct IfMatch(pub Option<Vec<i64>>);

impl IfMatch {
    fn schema() -> Object {
        let pattern = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$"#;
        path::text(64, Some(pattern), "\"3\"")
    }
}

impl FromInput for IfMatch {
    const PROBLEMS: &'static [Code] = &[Code::InvalidHeader];

    fn parameters() -> Vec<Parameter> {
        let description = "`ETag` of the version that the update is based on.";
        vec![parameter("If-Match", description, Self::schema())]
    }

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let value = match single(&input.request, "if-match")? {
            None | Some("*") => return Ok(Self(None)),
            Some(value) => value,
        };
        let tags = strong_tags(value).ok_or_else(|| {
            Problem::new(Code::InvalidHeader)
                .detail("If-Match must contain an ETag as returned, in double quotes")
        })?;
        // Tags that Postern has not issued match no version: the edit is stale, not malformed.
        let versions = tags
            .into_iter()
            .filter_map(|tag| tag.parse().ok().filter(|version: &i64| version.to_string() == tag));
        Ok(Self(Some(versions.collect())))
    }
}

/// The strong tags of a list of tags (RFC 9110, 8.8.3); weak ones match nothing. None if the list
/// is malformed or empty. (actix-web splits the list at commas inside of tags.)
fn strong_tags(mut list: &str) -> Option<Vec<&str>> {
    let (mut tags, mut is_empty) = (Vec::new(), true);
    loop {
        // Empty elements are ignored (RFC 9110, 5.6.1).
        list = list.trim_start_matches([' ', '\t', ',']);
        if list.is_empty() {
            return (!is_empty).then_some(tags);
        }
        let strong = list.strip_prefix("W/").is_none();
        let quoted = list.strip_prefix("W/").unwrap_or(list);
        let (tag, rest) = quoted.strip_prefix('"')?.split_once('"')?;
        list = rest.trim_start_matches([' ', '\t']);
        let is_valid = tag.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_valid || !(list.is_empty() || list.starts_with(',')) {
            return None;
        }
        is_empty = false;
        tags.extend(strong.then_some(tag));
    }
}

/// Value of the `Authorization` header, if present. Fails if there are several.
pub fn authorization(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
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
