//! Event metadata by action: declared with each action, published as JSON Schema
//! (`openapi/audit-actions.md`), and checked for every event after every test.

use serde_json::{Map, Value, json};

use crate::id::pattern;

/// A field of an action's metadata.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether the field is required.
    pub always: bool,
}

/// Type of a field's value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    /// An integer, 0 or more.
    Count,
    /// A time in RFC 3339 format, in UTC.
    Moment,
    /// An id with this prefix.
    Id(&'static str),
    /// Filter parameters with their values.
    Filter,
    /// The `old` and the `new` value, each of this type or null.
    Changed(&'static Self),
}

impl Kind {
    /// JSON Schema (2020-12) of the value.
    fn schema(self) -> Value {
        match self {
            Self::Text => json!({
                "anyOf": [{ "type": "string", "maxLength": 1000 }, { "$ref": "#/$defs/truncated" }],
            }),
            Self::Count => json!({ "type": "integer", "minimum": 0 }),
            Self::Moment => json!({ "type": "string", "format": "date-time" }),
            Self::Id(prefix) => json!({ "type": "string", "pattern": pattern(prefix) }),
            Self::Filter => json!({
                "anyOf": [
                    { "type": "object", "additionalProperties": { "type": "string" } },
                    { "$ref": "#/$defs/truncated" },
                ],
            }),
            Self::Changed(kind) => {
                let value = json!({ "anyOf": [kind.schema(), { "type": "null" }] });
                json!({
                    "type": "object",
                    "properties": { "old": value, "new": value },
                    "required": ["old", "new"],
                    "additionalProperties": false,
                })
            }
        }
    }

    /// Whether the value, or a part of it, is truncated if it is too large.
    const fn can_be_truncated(self) -> bool {
        match self {
            Self::Text | Self::Filter => true,
            Self::Changed(kind) => kind.can_be_truncated(),
            Self::Count | Self::Moment | Self::Id(_) => false,
        }
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Text => {
                value.as_str().is_some_and(|text| text.chars().count() <= 1000)
                    || is_truncated(value)
            }
            Self::Count => value.is_u64(),
            Self::Moment => value
                .as_str()
                .is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
            Self::Id(prefix) => value
                .as_str()
                .and_then(|text| text.strip_prefix(prefix))
                .is_some_and(|rest| rest.len() == 27),
            Self::Filter => {
                value.as_object().is_some_and(|fields| fields.values().all(Value::is_string))
                    || is_truncated(value)
            }
            Self::Changed(kind) => value.as_object().is_some_and(|fields| {
                fields.len() == 2
                    && ["old", "new"].iter().all(|name| {
                        fields.get(*name).is_some_and(|value| value.is_null() || kind.holds(value))
                    })
            }),
        }
    }
}

fn is_truncated(value: &Value) -> bool {
    value["truncated"].is_string() && value["sha256"].is_string() && value["bytes"].is_u64()
}

/// Complete JSON Schema (2020-12) of metadata with these fields.
#[must_use]
pub fn schema(fields: &[Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), field.kind.schema())).collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| field.always).map(|field| field.name).collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    if fields.iter().any(|field| field.kind.can_be_truncated()) {
        schema["$defs"] = json!({ "truncated": truncated() });
    }
    schema
}

/// JSON Schema of a truncated value: its beginning, its length in bytes and its SHA-256.
fn truncated() -> Value {
    json!({
        "type": "object",
        "properties": {
            "truncated": { "type": "string", "maxLength": 200 },
            "bytes": { "type": "integer" },
            "sha256": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
        },
        "required": ["truncated", "bytes", "sha256"],
        "additionalProperties": false,
    })
}

/// Checks that `metadata` conforms to these fields. Returns the first fault, if any.
#[must_use]
pub fn fault(fields: &[Field], metadata: &Map<String, Value>) -> Option<String> {
    let missing = fields
        .iter()
        .find(|field| field.always && !metadata.contains_key(field.name))
        .map(|field| format!("{} is missing", field.name));
    let invalid = metadata.iter().find_map(|(name, value)| {
        match fields.iter().find(|field| field.name == name) {
            None => Some(format!("{name} is not declared")),
            Some(field) if !field.kind.holds(value) => {
                Some(format!("{name} is {value}, expected {:?}", field.kind))
            }
            Some(_) => None,
        }
    });
    missing.or(invalid)
}
