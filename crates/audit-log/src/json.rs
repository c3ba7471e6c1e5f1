//! Parsing of JSON objects. Errors are in terms of JSON: those of the parser name Rust types.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::error::Category;

/// Reason that a JSON text is not the expected object.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct JsonError {
    detail: String,
    /// Whether the text ends before the object does.
    pub is_cut_off: bool,
}

/// Parses a JSON object, and passes the path of each unknown field to `unknown`.
pub(crate) fn parse_known<'a, T: Deserialize<'a>>(
    json: &'a str,
    mut unknown: impl FnMut(String),
) -> Result<T, JsonError> {
    // The fields of a derived type could also be the elements of an array.
    if !json.trim_start().starts_with('{') {
        return Err(not_an_object(json));
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    // An optional object, or a variant of an enum, is a `?` in the path.
    let mut add = |path: serde_ignored::Path<'_>| {
        unknown(path.to_string().replace(".?", "").trim_start_matches("?.").to_owned());
    };
    let value = serde_ignored::deserialize(&mut deserializer, &mut add)?;
    deserializer.end()?;
    Ok(value)
}

/// The error for a text that does not begin like an object.
fn not_an_object(json: &str) -> JsonError {
    let detail = if let Err(error) = serde_json::from_str::<IgnoredAny>(json) {
        JsonError::from(error).detail
    } else {
        let kind = match json.trim_start().chars().next() {
            Some('n') => "null",
            Some('[') => "an array",
            Some('"') => "a string",
            Some('t' | 'f') => "a boolean",
            _ => "a number",
        };
        format!("expected a JSON object, found {kind}")
    };
    JsonError { detail, is_cut_off: false }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let suffix = format!(" at line {line} column {column}");
        let message = message.strip_suffix(&suffix).unwrap_or(&message);
        let detail = match error.classify() {
            Category::Eof => "the JSON is cut off".to_owned(),
            Category::Syntax | Category::Io => "not valid JSON".to_owned(),
            Category::Data => expectation(message),
        };
        let position = match line {
            0 => String::new(),
            // The text is one line, or begins with the fault.
            1 => format!(" at column {column}"),
            _ => format!(" at line {line}, column {column}"),
        };
        Self { detail: detail + &position, is_cut_off: error.is_eof() }
    }
}

/// The message in terms of JSON instead of Rust.
fn expectation(message: &str) -> String {
    match TypeMismatch::parse(message) {
        Some(TypeMismatch { expected, found: Some(found) }) => {
            format!("expected {expected}, found {found}")
        }
        Some(TypeMismatch { expected, found: None }) => format!("expected {expected}"),
        None => {
            // Messages about one field are in terms of JSON.
            let is_plain = ["missing field", "duplicate field", "must be one of"]
                .iter()
                .any(|prefix| message.starts_with(prefix));
            if is_plain { message } else { "a value is not valid" }.to_owned()
        }
    }
}

/// A message of serde about a value of another type, in terms of JSON.
pub struct TypeMismatch {
    pub expected: &'static str,
    /// Type that was found; `None` if only the value or the length is wrong.
    pub found: Option<&'static str>,
}

impl TypeMismatch {
    #[must_use]
    pub fn parse(message: &str) -> Option<Self> {
        let (found, expected) = ["invalid type: ", "invalid value: ", "invalid length "]
            .iter()
            .find_map(|prefix| message.strip_prefix(prefix)?.rsplit_once(", expected "))?;
        let expected = match expected {
            "a string" | "a borrowed string" => "a string",
            "a boolean" => "a boolean",
            "null" => "null",
            "u8" => "an integer from 0 to 255",
            "i8" | "i16" | "i32" | "i64" | "isize" => "an integer",
            "u16" | "u32" | "u64" | "usize" => "a non-negative integer",
            "f32" | "f64" => "a number",
            "a sequence" => "an array",
            "an object" | "a map" => "a JSON object",
            _ if expected.starts_with("struct ") => "a JSON object",
            _ => "a value of another type",
        };
        let kinds = [
            ("null", "null"),
            ("boolean", "a boolean"),
            ("integer", "a number"),
            ("floating point", "a number"),
            ("string", "a string"),
            ("sequence", "an array"),
            ("map", "an object"),
        ];
        let kind = kinds.iter().find(|(prefix, _)| found.starts_with(prefix));
        let found = kind.map(|(_, kind)| *kind).filter(|_| message.starts_with("invalid type"));
        Some(Self { expected, found })
    }
}
