//! Examples, put together from those of the fields.

use serde_json::{Map, Value, json};

/// Gives each JSON body and each good answer an example, put together from those of its fields.
pub fn add(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let paths = document["paths"].as_object_mut().expect("the document has paths");
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let mut contents: Vec<&mut Value> = Vec::new();
        let operation = operation.as_object_mut().expect("an operation is an object");
        for (key, part) in operation {
            match key.as_str() {
                "requestBody" => contents.extend(part.pointer_mut("/content/application~1json")),
                "responses" => contents.extend(
                    part.as_object_mut()
                        .into_iter()
                        .flat_map(Map::iter_mut)
                        .filter(|(status, _)| status.starts_with('2'))
                        .filter_map(|(_, response)| response.pointer_mut("/content/application~1json")),
                ),
                _ => {}
            }
        }
        for content in contents {
            content["example"] = example(&content["schema"], &schemas);
        }
    }
}

fn example(schema: &Value, schemas: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return example(&schemas[name], schemas);
    }
    for given in ["/example", "/examples/0", "/enum/0", "/const"] {
        if let Some(value) = schema.pointer(given) {
            return value.clone();
        }
    }
    for choice in ["oneOf", "anyOf"] {
        let alternatives = schema[choice].as_array().into_iter().flatten();
        if let Some(first) = alternatives.filter(|one| one["type"] != "null").map(|one| example(one, schemas)).next() {
            return first;
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let members = parts.iter().filter_map(|part| example(part, schemas).as_object().cloned()).flatten();
        return Value::Object(members.collect());
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str),
        kind => kind.as_str(),
    };
    let nullable = schema["type"].is_array();
    match kind {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            Value::Object(properties.map(|(name, property)| (name.clone(), example(property, schemas))).collect())
        }
        Some("array") => json!([example(&schema["items"], schemas)]),
        _ if nullable => Value::Null,
        Some("string") => json!("text"),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        _ => Value::Null,
    }
}

/// Gives each moment an example that has none.
pub fn add_moments(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("format").is_some_and(|format| format == "date-time") {
                members.entry("examples").or_insert(json!(["2026-11-20T09:31:04.120Z"]));
            }
            members.values_mut().for_each(add_moments);
        }
        Value::Array(items) => items.iter_mut().for_each(add_moments),
        _ => {}
    }
}
