//! Consistent examples (`examples.json`): Sam (support) impersonates Ana, an owner of Acme, and
//! changes Bo's role to member. Values that the file does not have come from the examples of the
//! fields.

use serde_json::{Map, Value, json};

/// Examples by schema, and by operation ID if an operation returns something else.
const EXAMPLES: &str = include_str!("examples.json");

/// Adds an example to each JSON request body and each successful response.
pub fn add(document: &mut Value) {
    let examples: Value = serde_json::from_str(EXAMPLES).expect("examples.json is valid JSON");
    let builder = ExampleBuilder {
        schemas: document["components"]["schemas"].clone(),
        examples: examples["schemas"].clone(),
    };
    let paths = document["paths"].as_object_mut().expect("the document has paths");
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let own = examples["responses"].get(operation["operationId"].as_str().unwrap_or_default());
        if let Some(body) = operation.pointer_mut("/requestBody/content/application~1json") {
            body["example"] = builder.example(&body["schema"]);
        }
        for (_, response) in operation["responses"]
            .as_object_mut()
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with('2'))
        {
            if let Some(content) = response.pointer_mut("/content/application~1json") {
                content["example"] = merge(builder.example(&content["schema"]), own);
            }
        }
    }
}

struct ExampleBuilder {
    schemas: Value,
    examples: Value,
}

impl ExampleBuilder {
    fn example(&self, schema: &Value) -> Value {
        if let Some(name) =
            schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next())
        {
            return merge(self.example(&self.schemas[name]), self.examples.get(name));
        }
        for path in ["/example", "/examples/0", "/enum/0", "/const"] {
            if let Some(value) = schema.pointer(path) {
                return value.clone();
            }
        }
        for choice in ["oneOf", "anyOf"] {
            let alternatives = schema[choice].as_array().into_iter().flatten();
            if let Some(first) = alternatives
                .filter(|part| part["type"] != "null")
                .map(|part| self.example(part))
                .next()
            {
                return first;
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let members =
                parts.iter().filter_map(|part| self.example(part).as_object().cloned()).flatten();
            return Value::Object(members.collect());
        }
        self.example_of_type(schema)
    }

    fn example_of_type(&self, schema: &Value) -> Value {
        let kind = match &schema["type"] {
            Value::Array(kinds) => {
                kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str)
            }
            kind => kind.as_str(),
        };
        let nullable = schema["type"].is_array();
        match kind {
            Some("object") => self.example_object(schema),
            Some("array") => json!([self.example(&schema["items"])]),
            _ if nullable => Value::Null,
            Some("string") => json!("text"),
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => json!(true),
            _ => Value::Null,
        }
    }

    /// Examples of responses have no optional fields unless `examples.json` has them; examples of
    /// request bodies have all fields.
    fn example_object(&self, schema: &Value) -> Value {
        let is_body = schema["additionalProperties"] == false;
        let is_required = |name: &String| {
            schema["required"]
                .as_array()
                .is_some_and(|all| all.iter().any(|required| required == name))
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let shown = properties.filter(|(name, _)| is_body || is_required(name));
        Value::Object(
            shown.map(|(name, property)| (name.clone(), self.example(property))).collect(),
        )
    }
}

/// An example, replaced or extended by the value from `examples.json`.
fn merge(example: Value, replacement: Option<&Value>) -> Value {
    match (example, replacement) {
        (Value::Object(mut members), Some(Value::Object(replacement))) => {
            members.extend(replacement.clone());
            Value::Object(members)
        }
        (_, Some(replacement)) => replacement.clone(),
        (example, None) => example,
    }
}

/// Adds an example to each time that has none.
pub fn add_moments(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("format").is_some_and(|format| format == "date-time") {
                members.entry("examples").or_insert(json!(["2026-11-20T09:31:04.120000Z"]));
            }
            members.values_mut().for_each(add_moments);
        }
        Value::Array(items) => items.iter_mut().for_each(add_moments),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_name_existing_schemas_and_operations() {
        let examples: Value = serde_json::from_str(EXAMPLES).expect("examples.json is valid JSON");
        let routes = crate::routes::routes();
        let document = super::super::golden(&routes);
        for name in examples["schemas"].as_object().expect("schemas").keys() {
            assert!(document["components"]["schemas"].get(name).is_some(), "no schema {name}");
        }
        for id in examples["responses"].as_object().expect("responses").keys() {
            assert!(
                routes.mounted().iter().any(|mounted| mounted.row.id == id),
                "no operation {id}"
            );
        }
    }
}
