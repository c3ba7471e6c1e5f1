//! Errors of a JSON body, by JSON pointer (RFC 6901).

use postern_audit_log::json::TypeMismatch;
use postern_domain::text::BadText;
use serde_json::error::Category;
use validator::{ValidationErrors, ValidationErrorsKind};

use super::{
    code::Code,
    field_code::FieldCode,
    problem::{FieldError, Problem},
};

/// JSON pointer to the location of an error.
pub fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { variant } => format!("/{}", escape(variant)),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// Escapes a name for a JSON pointer (RFC 6901, 3).
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Problem for an error of the parser.
pub fn explain(pointer: &str, error: &serde_json::Error) -> Problem {
    // serde appends line and column; the pointer gives the location already.
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    match error.classify() {
        Category::Data if message.starts_with("duplicate field") => {
            Problem::new(Code::MalformedJson).field(
                format!("{pointer}/{}", message.split('`').nth(1).unwrap_or_default()),
                FieldCode::Duplicate,
                "this field is given more than once",
            )
        }
        Category::Data => {
            let (pointer, code, detail) = field_error(pointer, message);
            Problem::new(Code::InvalidBody).field(pointer, code, detail)
        }
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(Code::MalformedJson).detail(error.to_string())
        }
    }
}

/// Pointer, code and detail of an error that serde reports: a field that is unknown, missing or of
/// the wrong type.
pub fn field_error(pointer: &str, message: &str) -> (String, FieldCode, String) {
    let field = escape(message.split('`').nth(1).unwrap_or_default());
    if message.starts_with("unknown field") {
        let leaf = format!("/{field}");
        let parent = pointer.strip_suffix(&leaf).unwrap_or(pointer);
        let expected = message.split_once(", ").map_or("", |(_, rest)| rest);
        (format!("{parent}{leaf}"), FieldCode::Unknown, format!("unknown field; {expected}"))
    } else if message.starts_with("missing field") {
        let detail = "this field is required".to_owned();
        (format!("{pointer}/{field}"), FieldCode::Required, detail)
    } else if message.starts_with(BadText::CHARACTER) {
        (pointer.to_owned(), FieldCode::Character, message.to_owned())
    } else {
        (pointer.to_owned(), FieldCode::Invalid, expectation(message))
    }
}

/// The message in terms of JSON instead of Rust and serde.
fn expectation(message: &str) -> String {
    match TypeMismatch::parse(message) {
        Some(TypeMismatch { expected, found: Some(found) }) => {
            format!("must be {expected}, not {found}")
        }
        Some(TypeMismatch { expected, found: None }) => format!("must be {expected}"),
        None if message == "invalid IP address syntax" => "must be an IP address".to_owned(),
        None => message.to_owned(),
    }
}

/// Converts the errors of `validator`; pointers are JSON pointers.
pub fn field_errors(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut all = Vec::new();
    gather(errors, "", &mut all);
    all.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    all
}

fn gather(errors: &ValidationErrors, at: &str, all: &mut Vec<FieldError>) {
    for (name, kind) in errors.errors() {
        let at = format!("{at}/{name}");
        match kind {
            ValidationErrorsKind::Struct(inner) => gather(inner, &at, all),
            ValidationErrorsKind::List(items) => {
                for (n, inner) in items {
                    gather(inner, &format!("{at}/{n}"), all);
                }
            }
            ValidationErrorsKind::Field(faults) => {
                all.extend(faults.iter().map(|fault| FieldError {
                    pointer: at.clone(),
                    code: FieldCode::parse(&fault.code).unwrap_or(FieldCode::Invalid),
                    detail: fault.message.as_ref().map_or_else(
                        || format!("fails the rule {}", fault.code),
                        ToString::to_string,
                    ),
                }));
            }
        }
    }
}
