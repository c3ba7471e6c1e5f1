//! Query parameters.

use serde::de::DeserializeOwned;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};
use validator::Validate;

use super::{
    body_errors::{escape, field_error, field_errors, pointer},
    code::Code,
    field_code::FieldCode,
    input::{FromInput, Input},
    problem::Problem,
};

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
    const PAGES: bool = true;
    const PROBLEMS: &'static [Code] = &[Code::InvalidCursor];

    fn parameters() -> Vec<Parameter> {
        Self::into_params(|| Some(ParameterIn::Query))
    }

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let mut paging = Self { limit: 25, cursor: None, filters: String::new() };
        let mut filters = Vec::new();
        for (name, value) in pairs(input.request.query_string())? {
            match name.as_str() {
                "limit" => paging.limit = parse_limit(&value)?,
                "cursor" => paging.cursor = Some(value),
                _ => filters.push((name, value)),
            }
        }
        filters.sort();
        paging.filters = format!("{filters:?}");
        Ok(paging)
    }
}

fn parse_limit(text: &str) -> Result<u64, Problem> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let limit = text.parse().ok().filter(|limit| digits && (1..=100).contains(limit));
    limit.ok_or_else(|| invalid("limit", FieldCode::Range, "must be an integer from 1 to 100"))
}

/// Query parameters of an operation, except those of [`Paging`]. Values are trimmed, and blank ones
/// count as absent: forms send them for empty fields. `T` accepts unknown fields:
/// [`reject_unknown`] has compared the names with those of all arguments.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate + IntoParams> FromInput for Query<T> {
    fn parameters() -> Vec<Parameter> {
        T::into_params(|| Some(ParameterIn::Query))
    }

    fn from_input(input: &Input) -> Result<Self, Problem> {
        // Names are checked before: fields that `T` does not have belong to other arguments.
        let given = given(input.request.query_string());
        let query = serde_urlencoded::Deserializer::new(form_urlencoded::parse(given.as_bytes()));
        let query: T = serde_path_to_error::deserialize(query).map_err(|error| {
            let (pointer, code, detail) =
                field_error(&pointer(error.path()), &error.inner().to_string());
            invalid_at(pointer, code, &detail.replace("field", "parameter"))
        })?;
        query
            .validate()
            .map_err(|errors| Problem::new(Code::InvalidQuery).fields(field_errors(&errors)))?;
        Ok(Self(query))
    }
}

/// The parameters with a value other than white space, trimmed.
fn given(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut given = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs.filter(|(_, value)| !value.trim().is_empty()) {
        given.append_pair(&name, value.trim());
    }
    given.finish()
}

/// Rejects unknown and repeated query parameters: ignoring them would hide a mistake of the caller.
pub fn reject_unknown(query: &str, known: &[String]) -> Result<(), Problem> {
    let mut seen: Vec<String> = Vec::new();
    for (name, _) in pairs(query)? {
        if !known.contains(&name) {
            return Err(invalid(&name, FieldCode::Unknown, "the operation has no such parameter"));
        }
        if seen.contains(&name) {
            return Err(invalid(
                &name,
                FieldCode::Duplicate,
                "the parameter is given more than once",
            ));
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
                    FieldCode::NulCharacter,
                    "must not contain U+0000",
                ));
            }
            Ok((name.into_owned(), value.into_owned()))
        })
        .collect()
}

fn invalid(name: &str, code: FieldCode, detail: &str) -> Problem {
    invalid_at(format!("/{}", escape(name)), code, detail)
}

fn invalid_at(pointer: String, code: FieldCode, detail: &str) -> Problem {
    Problem::new(Code::InvalidQuery)
        .detail(format!("{}: {detail}", pointer.trim_start_matches('/')))
        .field(pointer, code, detail)
}
