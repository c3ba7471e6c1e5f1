//! Choices between schemas, as generators understand them best.

use serde_json::{Map, Value, json};

/// Lists of words that grow with what Postern learns to do: a client that has not heard of a word yet goes on all the same.
const OPEN: [&str; 4] = ["Action", "Permission", "ProblemCode", "TargetType"];

/// Lets each open list be one of the words that are known, or another.
pub fn open_lists(schemas: &mut Map<String, Value>) {
    for name in OPEN {
        let Some(known) = schemas.remove(name) else { continue };
        let about = known["description"].as_str().unwrap_or_default();
        let open = json!({
            "description": format!("{about} New words come with new features: take one that you do not know for what the rest says."),
            "anyOf": [{ "$ref": format!("#/components/schemas/Known{name}") }, { "type": "string", "maxLength": 64 }],
            "examples": [known["enum"][0]],
        });
        schemas.insert(name.to_owned(), open);
        schemas.insert(format!("Known{name}"), known);
    }
}

/// What is said of a field that may be null stands with the field, and not with what it refers to, where nobody looks for it.
pub fn hoist_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let choices =
                members.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
            let said = choices
                .filter(|choice| choice.get("$ref").is_some())
                .find_map(|choice| choice.as_object_mut()?.remove("description"));
            if let Some(said) = said {
                members.entry("description").or_insert(said);
            }
            members.values_mut().for_each(hoist_descriptions);
        }
        Value::Array(items) => items.iter_mut().for_each(hoist_descriptions),
        _ => {}
    }
}
