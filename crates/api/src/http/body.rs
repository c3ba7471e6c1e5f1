//! Reading and validation of request bodies. A body is read before authentication, with a size
//! limit and a timeout, and validated after authorization: callers without access get no
//! validation errors.

use std::ops::Deref;

use actix_web::{
    HttpMessage, HttpRequest,
    http::header,
    web::{Bytes, Payload},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use validator::Validate;

use super::{
    body_errors::{escape, explain, field_errors, pointer},
    code::Code,
    field_code::FieldCode,
    input::{FromInput, Input},
    problem::Problem,
};
use crate::config::Server;

/// Reads a complete JSON body.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
    limits: &Server,
) -> Result<Bytes, Problem> {
    let json = request.content_type().eq_ignore_ascii_case("application/json")
        && request.headers().get_all(header::CONTENT_TYPE).count() == 1
        && request.headers().get(header::CONTENT_ENCODING).is_none();
    if !json {
        return Err(Problem::new(Code::UnsupportedMediaType).close());
    }
    let too_large = || {
        let limit = limits.body_limit_bytes;
        Problem::new(Code::BodyTooLarge)
            .detail(format!("at most {limit} bytes are accepted"))
            .close()
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.body_limit_bytes as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(
        limits.request_timeout(),
        payload.to_bytes_limited(limits.body_limit_bytes),
    )
    .await
    {
        Ok(Ok(Ok(bytes))) => Ok(bytes),
        Ok(Ok(Err(_))) => {
            Err(Problem::new(Code::MalformedJson).detail("the body is incomplete").close())
        }
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Problem::new(Code::RequestTimeout).close()),
    }
}

/// A body that deserializes to `T` and passes its validation rules.
#[derive(Debug)]
pub struct Valid<T>(T);

impl<T> Valid<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Valid<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + Validate> FromInput for Valid<T> {
    const TAKES_BODY: bool = true;
    const PROBLEMS: &'static [Code] = &[
        Code::InvalidBody,
        Code::MalformedJson,
        Code::RequestTimeout,
        Code::BodyTooLarge,
        Code::UnsupportedMediaType,
    ];

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let body: T = parse(&input.body)?;
        body.validate()
            .map_err(|errors| Problem::new(Code::InvalidBody).fields(field_errors(&errors)))?;
        Ok(Self(body))
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    reject_nul(bytes)?;
    // serde also accepts an array of the field values.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(match serde_json::from_slice::<Value>(bytes) {
            Ok(_) => Problem::new(Code::InvalidBody).field(
                "",
                FieldCode::Invalid,
                "must be a JSON object, not an array",
            ),
            Err(error) => explain("", &error),
        });
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        explain(&pointer, error.inner())
    })?;
    json.end().map_err(|error| explain("", &error))?;
    Ok(parsed)
}

/// Rejects U+0000: SQLite stores it, PostgreSQL does not.
fn reject_nul(bytes: &[u8]) -> Result<(), Problem> {
    // In JSON U+0000 is always an escape, which few bodies contain.
    if !bytes.windows(6).any(|window| window == b"\\u0000") {
        return Ok(());
    }
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Ok(()) };
    match nul_in(&value, String::new()) {
        Some(pointer) => Err(Problem::new(Code::InvalidBody).field(
            pointer,
            FieldCode::NulCharacter,
            "must not contain U+0000",
        )),
        None => Ok(()),
    }
}

fn nul_in(value: &Value, at: String) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then_some(at),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(n, item)| nul_in(item, format!("{at}/{n}")))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if name.contains('\0') {
                Some(at.clone())
            } else {
                nul_in(member, format!("{at}/{}", escape(name)))
            }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Outer {
        name: String,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Inner {
        many: Vec<u8>,
    }

    fn fault(json: &str) -> (&'static str, String, &'static str) {
        let problem = parse::<Outer>(json.as_bytes()).expect_err("invalid body");
        let (pointer, code) = problem.first_error().expect("the problem names a field");
        (problem.code().name(), pointer.to_owned(), code.name())
    }

    fn code(json: &str) -> Code {
        parse::<Outer>(json.as_bytes()).expect_err("invalid body").code()
    }

    #[test]
    fn errors_have_pointers() {
        let expected = |code, pointer: &str, fault| (code, pointer.to_owned(), fault);
        assert_eq!(fault(r#"{"name": 1}"#), expected("invalid_body", "/name", "invalid"));
        assert_eq!(fault(r"{}"), expected("invalid_body", "/name", "required"));
        assert_eq!(
            fault(r#"{"name": "a", "owner": true}"#),
            expected("invalid_body", "/owner", "unknown")
        );
        assert_eq!(
            fault(r#"{"name": "a", "inner": {"many": [1, 2, 256]}}"#),
            expected("invalid_body", "/inner/many/2", "invalid")
        );
        assert_eq!(
            fault(r#"{"name": "a", "inner": {"lots": 1}}"#),
            expected("invalid_body", "/inner/lots", "unknown")
        );
        assert_eq!(
            fault(r#"{"name": "a", "inner": {}}"#),
            expected("invalid_body", "/inner/many", "required")
        );
        assert_eq!(
            fault(r#"{"name": "a\u0000b"}"#),
            expected("invalid_body", "/name", "nul_character")
        );
        assert_eq!(
            fault(r#"{"name": "a", "name": "b"}"#),
            expected("malformed_json", "/name", "duplicate")
        );
        assert_eq!(
            code(r#"{"name": "a"} {}"#),
            Code::MalformedJson,
            "text after the value is rejected"
        );
        assert_eq!(
            code(r#"{"name": "\ud800"}"#),
            Code::MalformedJson,
            "a lone surrogate is rejected"
        );
        assert_eq!(code("\u{feff}{}"), Code::MalformedJson, "a byte order mark is rejected");
    }

    #[test]
    fn escaped_backslash_before_u0000_is_accepted() {
        assert!(
            parse::<Outer>(br#"{"name": "a\\u0000"}"#).is_ok(),
            "the text is a backslash and `u0000`, not U+0000"
        );
    }

    #[test]
    fn deep_and_broken_bodies_are_malformed() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(
            parse::<Value>(deep.as_bytes()).expect_err("too deep").code(),
            Code::MalformedJson,
            "nesting is limited"
        );
        assert_eq!(
            parse::<Value>(b"{\"a\": \"\xff\"}").expect_err("not UTF-8").code(),
            Code::MalformedJson,
            "a body that is not UTF-8 is rejected"
        );
        assert_eq!(
            parse::<Value>(b"").expect_err("empty").code(),
            Code::MalformedJson,
            "an empty body is rejected"
        );
    }
}
