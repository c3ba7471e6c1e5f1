//! Examples that tell one story (`story.json`): Sam of support acts for Ana, who owns Acme, and makes Bo a member. What the story does not say is put
//! together from the examples of the fields.

use serde_json::{Map, Value, json};

/// By schema and, where an operation answers with something else than that, by its id.
const STORY: &str = include_str!("story.json");

/// Gives each JSON body and each good answer an example.
pub fn add(document: &mut Value) {
    let story: Value = serde_json::from_str(STORY).expect("the story is JSON");
    let teller = Teller {
        schemas: document["components"]["schemas"].clone(),
        story: story["schemas"].clone(),
    };
    let paths = document["paths"].as_object_mut().expect("the document has paths");
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let own = story["answers"].get(operation["operationId"].as_str().unwrap_or_default());
        if let Some(body) = operation.pointer_mut("/requestBody/content/application~1json") {
            body["example"] = teller.example(&body["schema"]);
        }
        for (_, response) in operation["responses"]
            .as_object_mut()
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with('2'))
        {
            if let Some(content) = response.pointer_mut("/content/application~1json") {
                content["example"] = over(teller.example(&content["schema"]), own);
            }
        }
    }
}

struct Teller {
    schemas: Value,
    story: Value,
}

impl Teller {
    fn example(&self, schema: &Value) -> Value {
        if let Some(name) =
            schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next())
        {
            return over(self.example(&self.schemas[name]), self.story.get(name));
        }
        for given in ["/example", "/examples/0", "/enum/0", "/const"] {
            if let Some(value) = schema.pointer(given) {
                return value.clone();
            }
        }
        for choice in ["oneOf", "anyOf"] {
            let alternatives = schema[choice].as_array().into_iter().flatten();
            if let Some(first) =
                alternatives.filter(|one| one["type"] != "null").map(|one| self.example(one)).next()
            {
                return first;
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let members =
                parts.iter().filter_map(|part| self.example(part).as_object().cloned()).flatten();
            return Value::Object(members.collect());
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => {
                kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str)
            }
            kind => kind.as_str(),
        };
        let nullable = schema["type"].is_array();
        match kind {
            Some("object") => {
                // What is there only sometimes is not there in an example, unless the story says so; but a body shows all that it takes.
                let optional = schema["additionalProperties"] == false;
                let is_required = |name: &String| {
                    schema["required"]
                        .as_array()
                        .is_some_and(|all| all.iter().any(|one| one == name))
                };
                let properties = schema["properties"].as_object().into_iter().flatten();
                let shown = properties.filter(|(name, _)| optional || is_required(name));
                Value::Object(
                    shown.map(|(name, property)| (name.clone(), self.example(property))).collect(),
                )
            }
            Some("array") => json!([self.example(&schema["items"])]),
            _ if nullable => Value::Null,
            Some("string") => json!("text"),
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => json!(true),
            _ => Value::Null,
        }
    }
}

/// An example with what the story says of it.
fn over(example: Value, story: Option<&Value>) -> Value {
    match (example, story) {
        (Value::Object(mut members), Some(Value::Object(told))) => {
            members.extend(told.clone());
            Value::Object(members)
        }
        (_, Some(told)) => told.clone(),
        (example, None) => example,
    }
}

/// Gives each moment an example that has none.
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
    fn the_story_is_about_what_there_is() {
        let story: Value = serde_json::from_str(STORY).expect("the story is JSON");
        let routes = crate::routes();
        let document = super::super::document(&routes);
        for name in story["schemas"].as_object().expect("schemas").keys() {
            assert!(document["components"]["schemas"].get(name).is_some(), "{name} is no schema");
        }
        for id in story["answers"].as_object().expect("answers").keys() {
            assert!(
                routes.mounted().iter().any(|mounted| mounted.row.id == id),
                "{id} is no operation"
            );
        }
    }
}
