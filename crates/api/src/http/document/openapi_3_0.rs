//! The document in OpenAPI 3.0.3, for generators that cannot read 3.1. Covers the keywords that the
//! document uses; a validator of 3.0 checks the result (`tests/contract/lint.sh`).

use serde_json::{Map, Value, json};

/// Members with values of the API instead of parts of the document.
const DATA: [&str; 4] = ["default", "enum", "example", "value"];

/// Converts a document of OpenAPI 3.1.
pub fn convert(mut document: Value) -> Value {
    convert_part(&mut document);
    document["openapi"] = "3.0.3".into();
    // 3.0 has no identifiers of licenses (SPDX).
    let license = document["info"]["license"].as_object_mut().expect("the document has a license");
    if let Some(Value::String(id)) = license.remove("identifier") {
        license.insert("url".into(), format!("https://spdx.org/licenses/{id}.html").into());
    }
    document
}

fn convert_part(part: &mut Value) {
    match part {
        Value::Object(members) => {
            for (key, inner) in members.iter_mut() {
                match (key.as_str(), inner) {
                    // Names of fields, which may be equal to keywords.
                    ("properties", Value::Object(fields)) => {
                        fields.values_mut().for_each(convert_part);
                    }
                    (key, _) if DATA.contains(&key) => {}
                    (_, inner) => convert_part(inner),
                }
            }
            convert_schema(members);
        }
        Value::Array(items) => items.iter_mut().for_each(convert_part),
        _ => {}
    }
}

/// Converts the keywords of one schema. Other parts of the document have none of them.
fn convert_schema(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = schema.get("type").cloned() {
        let (nulls, others): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|kind| kind == "null");
        let [kind] = <[Value; 1]>::try_from(others).expect("a schema has one type, or null");
        schema.insert("type".into(), kind);
        if !nulls.is_empty() {
            schema.insert("nullable".into(), true.into());
        }
    }
    if let Some(value) = schema.remove("const") {
        schema.insert("enum".into(), json!([value]));
    }
    if let Some(Value::Array(values)) = schema.get("examples") {
        let first = values.first().cloned();
        schema.remove("examples");
        if let Some(first) = first {
            schema.entry("example").or_insert(first);
        }
    }
    schema.remove("propertyNames");
    convert_nullable_union(schema);
    let is_schema = |reference: &str| reference.starts_with("#/components/schemas/");
    if schema.len() > 1 && schema.get("$ref").and_then(Value::as_str).is_some_and(is_schema) {
        let reference = schema.remove("$ref");
        schema.insert("allOf".into(), json!([{ "$ref": reference }]));
    }
}

/// Turns `oneOf` of a schema and null into the nullable schema.
fn convert_nullable_union(schema: &mut Map<String, Value>) {
    let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
    let count = choices.len();
    choices.retain(|choice| choice["type"] != "null");
    if choices.len() == count {
        return;
    }
    if choices.len() == 1 {
        let choices = schema.remove("oneOf").expect("the union is there");
        schema.insert("allOf".into(), choices);
    }
    schema.insert("nullable".into(), true.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_of_3_1_are_converted() {
        let info = json!({ "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } });
        let convert = |schema: Value| {
            let document = json!({ "openapi": "3.1.0", "info": info, "schema": schema });
            convert(document)["schema"].clone()
        };
        let reference = json!({ "$ref": "#/components/schemas/Org" });
        for (schema, expected) in [
            (json!({ "type": ["string", "null"] }), json!({ "type": "string", "nullable": true })),
            (json!({ "const": "a" }), json!({ "enum": ["a"] })),
            (json!({ "examples": ["a", "b"] }), json!({ "example": "a" })),
            (
                json!({ "examples": { "a": { "value": 1 } } }),
                json!({ "examples": { "a": { "value": 1 } } }),
            ),
            (
                json!({ "$ref": "#/components/schemas/Org", "description": "The org." }),
                json!({ "allOf": [reference], "description": "The org." }),
            ),
            (
                json!({ "oneOf": [reference, { "type": "null" }] }),
                json!({ "allOf": [reference], "nullable": true }),
            ),
            (
                json!({ "properties": { "default": { "type": ["integer", "null"] } } }),
                json!({ "properties": { "default": { "type": "integer", "nullable": true } } }),
            ),
            (json!({ "default": { "type": ["a"] } }), json!({ "default": { "type": ["a"] } })),
            (json!({ "type": "object", "propertyNames": {} }), json!({ "type": "object" })),
        ] {
            assert_eq!(convert(schema.clone()), expected, "{schema} is converted");
        }
    }
}
