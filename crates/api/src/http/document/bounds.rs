//! Bounds for response fields that declare none, for page layouts and generated clients. (Request
//! fields declare theirs where they are validated.)

use serde_json::{Map, Value, json};

/// Maximum length of texts in characters, by field name. Texts of events are truncated at 1,000.
const LONGEST: [(u64, &[&str]); 9] = [
    (7, &["color"]),
    (
        40,
        &[
            "slug",
            "ip",
            "format",
            "status",
            "code",
            "metric",
            "permission",
            "tier",
            "version",
            "token_type",
            "kty",
            "crv",
            "alg",
            "use",
        ],
    ),
    (64, &["kid", "x", "request_id", "ticket_ref", "id"]),
    (100, &["title", "name", "org_name"]),
    (254, &["email", "staff_email", "target_email", "support_email"]),
    (200, &["user_agent", "next_cursor", "prev_cursor", "refresh_token", "type"]),
    (500, &["origin", "banner", "pointer", "remedy", "logo_url", "image_url"]),
    (1_000, &["summary", "reason", "label", "detail"]),
    (2_048, &["access_token", "issuer", "jwks_uri", "token_endpoint", "service_documentation"]),
];

/// Length of enum values that the document does not list.
const WORD: u64 = 64;
/// Length of a time (RFC 3339) with nanoseconds.
const MOMENT: u64 = 40;
/// Maximum length of lists without pages.
const ITEMS: u64 = 100;
/// Maximum size of texts and tiles in bytes; the metrics are the longest text.
const BYTES: u64 = 1 << 20;
/// Largest integer that is exact in JSON (RFC 8259, 6).
const WHOLE: u64 = (1 << 53) - 1;

/// Adds bounds to the component schemas.
pub fn apply(schemas: &mut Map<String, Value>) {
    for (name, schema) in schemas {
        if !name.ends_with("Body") {
            state_what_is_always_there(schema);
        }
        bound("", schema);
    }
}

/// Adds bounds to the schema of a field, parameter or header of this name, and to nested schemas.
pub fn bound(name: &str, schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let is = |kind: &str| match &object["type"] {
        Value::Array(kinds) => kinds.iter().any(|value| value == kind),
        value => value == kind,
    };
    if object.contains_key("type")
        && !["enum", "const", "$ref"].iter().any(|key| object.contains_key(*key))
    {
        if is("string") && !object.contains_key("maxLength") {
            let moment = object.get("format").is_some_and(|format| format == "date-time");
            let longest = LONGEST
                .iter()
                .find(|(_, names)| names.contains(&name))
                .map_or(WORD, |(longest, _)| *longest);
            object.insert("maxLength".to_owned(), json!(if moment { MOMENT } else { longest }));
        } else if is("integer") {
            let most = if object.get("format").is_some_and(|format| format == "int32") {
                u64::from(i32::MAX.unsigned_abs())
            } else {
                WHOLE
            };
            object.entry("minimum").or_insert(json!(0));
            object.entry("maximum").or_insert(json!(most));
        } else if is("array") && !object.contains_key("maxItems") {
            object.insert("maxItems".to_owned(), json!(ITEMS));
        } else if is("object")
            && !object.contains_key("properties")
            && !object.contains_key("additionalProperties")
        {
            // Any members: some generators read a missing value as no members.
            object.insert("additionalProperties".to_owned(), json!(true));
        }
    }
    for (key, inner) in object {
        match key.as_str() {
            "properties" => inner
                .as_object_mut()
                .into_iter()
                .flatten()
                .for_each(|(name, field)| bound(name, field)),
            "items" | "additionalProperties" | "propertyNames" => bound(name, inner),
            "oneOf" | "anyOf" | "allOf" => {
                inner.as_array_mut().into_iter().flatten().for_each(|part| bound(name, part))
            }
            _ => {}
        }
    }
}

/// Marks nullable response fields as required: they are always present. Optional fields are never
/// null.
fn state_what_is_always_there(schema: &mut Value) {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        state_what_is_always_there(part);
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    let null = |schema: &Value| {
        schema["type"] == "null"
            || schema["type"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
    };
    let nullable = |schema: &Value| {
        null(schema) || schema["oneOf"].as_array().is_some_and(|all| all.iter().any(null))
    };
    let mut required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    required.extend(
        properties
            .iter()
            .filter(|(_, field)| nullable(field))
            .map(|(name, _)| Value::from(name.as_str())),
    );
    let known: Vec<&String> = properties.keys().collect();
    required.sort_by_key(|name| known.iter().position(|property| *property == name));
    required.dedup();
    if !required.is_empty() {
        schema["required"] = required.into();
    }
}

/// Adds bounds to the parameters and responses of an operation.
pub fn bound_in_place(operation: &mut Value) {
    for parameter in
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
    {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        bound(&name, &mut parameter["schema"]);
        // Parameters can be omitted, but not null.
        let kinds = parameter["schema"]["type"].as_array().cloned().unwrap_or_default();
        if let [kind, Value::String(other)] = &kinds[..]
            && other == "null"
        {
            parameter["schema"]["type"] = kind.clone();
        }
    }
    for response in operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::values_mut)
    {
        for header in response
            .get_mut("headers")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(Map::values_mut)
        {
            header.get_mut("schema").into_iter().for_each(|schema| bound("", schema));
        }
        for (kind, content) in
            response.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten()
        {
            match kind.as_str() {
                "application/json" | "application/problem+json" => {}
                "application/octet-stream" => {
                    *content = json!({
                        "schema": { "type": "string", "format": "binary", "maxLength": BYTES },
                    })
                }
                "text/plain" | "text/html" => {
                    *content = json!({ "schema": { "type": "string", "maxLength": BYTES } })
                }
                // No schema for files and streams: generated clients would read them to the end
                // before they return anything.
                _ => *content = json!({}),
            }
        }
    }
}
