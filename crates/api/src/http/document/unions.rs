//! Unions of schemas, in the form that generators support best.

use std::borrow::Cow;

use postern_domain::{action::Action, event_draft::TargetType, permission::Permission};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::http::{code::Code, field_code::FieldCode};

/// Open enums by schema name, each with the advice for clients that get an unknown value.
fn open_enums() -> [(Cow<'static, str>, &'static str); 5] {
    [
        (<Action as ToSchema>::name(), "Show the summary of an event with an unknown action."),
        (<Permission as ToSchema>::name(), "Ignore unknown permissions."),
        (<Code as ToSchema>::name(), "Treat an unknown code by its HTTP status."),
        (<FieldCode as ToSchema>::name(), "Show the detail of an error with an unknown code."),
        (<TargetType as ToSchema>::name(), "Show the label of a target of unknown type."),
    ]
}

/// Turns each open enum into a union of its known values and other strings.
pub fn open_lists(schemas: &mut Map<String, Value>) {
    for (name, advice) in open_enums() {
        let Some(known) = schemas.remove(&*name) else { continue };
        let about = known["description"].as_str().unwrap_or_default();
        // A list needs an empty line behind it: otherwise the text belongs to its last item.
        let separator = if about.contains('\n') { "\n\n" } else { " " };
        let open = json!({
            "description": format!("{about}{separator}New values may be added. {advice}"),
            "anyOf": [
                { "$ref": format!("#/components/schemas/Known{name}") },
                { "type": "string", "maxLength": 64 },
            ],
            "examples": [known["enum"][0]],
        });
        schemas.insert(name.clone().into_owned(), open);
        schemas.insert(format!("Known{name}"), known);
    }
}

/// Moves the description of a nullable reference to the field, where readers see it.
pub fn hoist_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let choices =
                members.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
            let description = choices
                .filter(|choice| choice.get("$ref").is_some())
                .find_map(|choice| choice.as_object_mut()?.remove("description"));
            if let Some(description) = description {
                members.entry("description").or_insert(description);
            }
            members.values_mut().for_each(hoist_descriptions);
        }
        Value::Array(items) => items.iter_mut().for_each(hoist_descriptions),
        _ => {}
    }
}
