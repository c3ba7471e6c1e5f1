//! Request headers.

use actix_web::{
    HttpRequest,
    http::header::{self, Header, HeaderMap},
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
        // Without commas inside a tag, which the parser takes as separators.
        let pattern = r#"^(\*|(W/)?"[!#-+\-.-~]*"(, ?(W/)?"[!#-+\-.-~]*")*)$"#;
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
        if single(&input.request, "if-match")?.is_none() {
            return Ok(Self(None));
        }
        let tags = match header::IfMatch::parse(&input.request) {
            Ok(header::IfMatch::Any) => return Ok(Self(None)),
            Ok(header::IfMatch::Items(tags)) if !tags.is_empty() => tags,
            _ => {
                return Err(Problem::new(Code::InvalidHeader)
                    .detail("If-Match must contain an ETag as returned, in double quotes"));
            }
        };
        // Weak tags and tags that Postern has not issued match no version: the edit is stale, not
        // malformed.
        let versions = tags.iter().filter(|tag| !tag.weak).filter_map(|tag| {
            tag.tag().parse().ok().filter(|version: &i64| version.to_string() == tag.tag())
        });
        Ok(Self(Some(versions.collect())))
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
