//! Bounds that follow from the type or format of a schema, for page layouts and generated clients.
//! Strings declare their maximum length with the type that they belong to.

use serde_json::{Map, Value, json};

/// Format of times (RFC 3339).
const DATE_TIME: &str = "date-time";
/// Maximum number of items of lists without pagination.
const MAX_ITEMS: u64 = 100;
/// Maximum size of texts and tiles in bytes. The metrics are the longest text.
const MAX_BYTES: u64 = 1 << 20;
/// Largest integer that is exact in JSON (RFC 8259, 6).
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Adds bounds to the component schemas.
pub fn apply(schemas: &mut Map<String, Value>) {
    for (name, schema) in schemas {
        if !name.ends_with("Body") {
            require_nullable_fields(schema);
        }
        bound(schema);
    }
}

/// Adds bounds to a schema and to its nested schemas.
fn bound(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    if !["enum", "const", "$ref"].iter().any(|key| members.contains_key(*key)) {
        bound_by_type(members);
    }
    for (key, inner) in members {
        match key.as_str() {
            "properties" => {
                for field in inner.as_object_mut().into_iter().flat_map(Map::values_mut) {
                    bound(field);
                }
            }
            "items" | "additionalProperties" | "propertyNames" => bound(inner),
            "oneOf" | "anyOf" | "allOf" => {
                for part in inner.as_array_mut().into_iter().flatten() {
                    bound(part);
                }
            }
            _ => {}
        }
    }
}

fn bound_by_type(schema: &mut Map<String, Value>) {
    let Some(kind) = schema.get("type").cloned() else { return };
    let is = |name| is_of_type(&kind, name);
    let format = schema.get("format").and_then(Value::as_str);
    if is("string") && format == Some(DATE_TIME) {
        // The format bounds the length. Generators that parse times reject `maxLength` beside it.
        schema.remove("maxLength");
    } else if is("integer") {
        let max = if format == Some("int32") { json!(i32::MAX) } else { json!(MAX_INTEGER) };
        schema.entry("minimum").or_insert(json!(0));
        schema.entry("maximum").or_insert(max);
    } else if is("array") {
        schema.entry("maxItems").or_insert(json!(MAX_ITEMS));
    } else if is("object") && !schema.contains_key("properties") {
        // Any members: some generators read a missing value as no members.
        schema.entry("additionalProperties").or_insert(json!(true));
    }
}

/// Whether the value of `type` in a schema is or contains this type.
fn is_of_type(value: &Value, name: &str) -> bool {
    match value {
        Value::Array(names) => names.iter().any(|value| value == name),
        value => value == name,
    }
}

/// Marks nullable response fields as required: they are always present. Optional fields are never
/// null.
fn require_nullable_fields(schema: &mut Value) {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        require_nullable_fields(part);
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    let is_null = |schema: &Value| is_of_type(&schema["type"], "null");
    let is_nullable = |schema: &Value| {
        is_null(schema) || schema["oneOf"].as_array().is_some_and(|all| all.iter().any(is_null))
    };
    let mut required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    required.extend(
        properties
            .iter()
            .filter(|(_, field)| is_nullable(field))
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
pub fn bound_operation(operation: &mut Value) {
    for parameter in
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
    {
        bound_parameter(&mut parameter["schema"]);
    }
    for response in members_of(operation, "responses") {
        for header in members_of(response, "headers") {
            header.get_mut("schema").into_iter().for_each(bound);
        }
        let content = response.get_mut("content").and_then(Value::as_object_mut);
        for (media_type, content) in content.into_iter().flatten() {
            bound_content(media_type, content);
        }
    }
}

fn members_of<'a>(value: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(key).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
}

/// Adds bounds to the schema of a parameter. Parameters can be omitted, but not null.
fn bound_parameter(schema: &mut Value) {
    bound(schema);
    let kinds = schema["type"].as_array().cloned().unwrap_or_default();
    if let [kind, Value::String(other)] = &kinds[..]
        && other == "null"
    {
        schema["type"] = kind.clone();
    }
}

fn bound_content(media_type: &str, content: &mut Value) {
    match media_type {
        "application/json" | "application/problem+json" => {}
        "application/octet-stream" => {
            *content = json!({
                "schema": { "type": "string", "format": "binary", "maxLength": MAX_BYTES },
            });
        }
        "text/plain" | "text/html" => {
            *content = json!({ "schema": { "type": "string", "maxLength": MAX_BYTES } });
        }
        // No schema for files and streams: generated clients would read them to the end before
        // they return anything.
        _ => *content = json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths of the string schemas in `value` that have no maximum length and no list of values.
    fn unbounded_strings(path: &str, value: &Value, unbounded: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                let is_bounded =
                    ["maxLength", "enum", "const"].iter().any(|key| members.contains_key(*key))
                        || members.get("format").is_some_and(|format| format == DATE_TIME);
                if members.get("type").is_some_and(|kind| is_of_type(kind, "string")) && !is_bounded
                {
                    unbounded.push(path.to_owned());
                }
                for (key, inner) in members {
                    if !["example", "examples", "default"].contains(&key.as_str()) {
                        unbounded_strings(&format!("{path}/{key}"), inner, unbounded);
                    }
                }
            }
            Value::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    let key = inner["name"].as_str().map_or_else(|| index.to_string(), Into::into);
                    unbounded_strings(&format!("{path}/{key}"), inner, unbounded);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_string_declares_its_maximum_length() {
        let mut unbounded = Vec::new();
        unbounded_strings("", &super::super::golden(&crate::routes::routes()), &mut unbounded);
        assert!(unbounded.is_empty(), "declare `max_length` with the type of {unbounded:#?}");
    }

    #[test]
    fn times_have_no_maximum_length() {
        fn collect(path: &str, value: &Value, bounded: &mut Vec<String>) {
            if value["format"] == DATE_TIME && value.get("maxLength").is_some() {
                bounded.push(path.to_owned());
            }
            let members = value.as_object().into_iter().flatten();
            let members = members.map(|(key, inner)| (key.clone(), inner));
            let items = value.as_array().into_iter().flatten().enumerate();
            let items = items.map(|(index, inner)| (index.to_string(), inner));
            for (key, inner) in members.chain(items) {
                collect(&format!("{path}/{key}"), inner, bounded);
            }
        }
        let document = super::super::golden(&crate::routes::routes());
        let mut bounded = Vec::new();
        collect("", &document, &mut bounded);
        assert!(bounded.is_empty(), "times have a format and no `maxLength`: {bounded:#?}");
    }

    #[test]
    fn strings_without_a_maximum_length_are_reported_by_path() {
        let schemas = json!({ "User": { "type": "object", "properties": {
            "type": { "type": "string" },
            "names": { "type": "array", "items": { "type": ["string", "null"] } },
            "email": { "type": "string", "maxLength": 254 },
            "role": { "type": "string", "enum": ["owner"] },
            "created_at": { "type": "string", "format": "date-time" },
        } } });
        let mut schemas = schemas.as_object().expect("an object").clone();
        apply(&mut schemas);
        let mut unbounded = Vec::new();
        unbounded_strings("", &schemas.into(), &mut unbounded);
        assert_eq!(unbounded, ["/User/properties/names/items", "/User/properties/type"]);
    }
}
