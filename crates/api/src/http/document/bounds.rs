//! How much a field of an answer may say, for those who lay out pages and tables and for generated clients: a bound for each that has none where it is
//! declared. (Fields of requests say theirs where they are judged.)

use serde_json::{Map, Value, json};

/// The longest of each kind of text, in characters, by the names of the fields; a text of an event is cut at 1,000.
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

/// A word of a closed list that the document does not spell out.
const WORD: u64 = 64;
/// A moment (RFC 3339) to the nanosecond.
const MOMENT: u64 = 40;
/// What no list is longer than that has no pages.
const ITEMS: u64 = 100;
/// The longest text or tile that is read whole, in bytes: that of the figures, with room.
const BYTES: u64 = 1 << 20;
/// What a number in JSON is exact up to (RFC 8259, 6).
const WHOLE: u64 = (1 << 53) - 1;

/// Bounds every schema of the components that is not bounded yet.
pub fn apply(schemas: &mut Map<String, Value>) {
    for (name, schema) in schemas {
        if !name.ends_with("Body") {
            state_what_is_always_there(schema);
        }
        bound("", schema);
    }
}

/// Bounds the schema of a field, a parameter or a header of this name, and what is in it.
pub fn bound(name: &str, schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let is = |kind: &str| match &object["type"] {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
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
            // Anything may stand in it, and not nothing, as some generators read it.
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
                inner.as_array_mut().into_iter().flatten().for_each(|one| bound(name, one))
            }
            _ => {}
        }
    }
}

/// A field of an answer that may be null is there all the same; one that may be missing is never null.
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
    required.sort_by_key(|name| known.iter().position(|one| *one == name));
    required.dedup();
    if !required.is_empty() {
        schema["required"] = required.into();
    }
}

/// Bounds what an operation declares for itself.
pub fn bound_in_place(operation: &mut Value) {
    for parameter in
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
    {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        bound(&name, &mut parameter["schema"]);
        // What may be left out is not there then; it is never null.
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
                    *content = json!({ "schema": { "type": "string", "format": "binary", "maxLength": BYTES } })
                }
                "text/plain" | "text/html" => {
                    *content = json!({ "schema": { "type": "string", "maxLength": BYTES } })
                }
                // A file or a stream is as long as it is: a generator would read it to its end before it gives anything.
                _ => *content = json!({}),
            }
        }
    }
}
