//! Unions of schemas, in the form that generators support best (decision record 0049).

use std::borrow::Cow;

use postern_audit_log::commitment::PersonalField;
use postern_domain::{
    action::Action, event::ActorType, event_draft::TargetType, feature::FeatureKey,
    permission::Permission, plan::Plan,
};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::http::{code::Code, field_code::FieldCode};

/// Maximum length of the values of open enums.
const MAX_WORD_LENGTH: u64 = 64;

/// Open enums by schema name, each with the advice for clients that get an unknown value.
fn open_enums() -> [(Cow<'static, str>, &'static str); 9] {
    [
        (<Action as ToSchema>::name(), "Show the summary of an event with an unknown action."),
        (<ActorType as ToSchema>::name(), "Show the e-mail address or ID of an unknown actor."),
        (<Code as ToSchema>::name(), "Treat an unknown code by its HTTP status."),
        (<FeatureKey as ToSchema>::name(), "Ignore unknown features."),
        (<FieldCode as ToSchema>::name(), "Show the detail of an error with an unknown code."),
        (<Permission as ToSchema>::name(), "Ignore unknown permissions."),
        (<PersonalField as ToSchema>::name(), "Show the name of an unknown field."),
        (<Plan as ToSchema>::name(), "Show the name of an unknown plan."),
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
        let reference = json!({ "$ref": format!("#/components/schemas/Known{name}") });
        let open = json!({
            "description": format!("{about}{separator}New values may be added. {advice}"),
            "oneOf": [&reference, other_word(&name, &reference)],
            "examples": [known["enum"][0]],
        });
        schemas.insert(name.clone().into_owned(), open);
        schemas.insert(format!("Known{name}"), known);
    }
}

/// Any string except the known values. `not` makes the union exclusive: Rust generators then emit
/// an enum with an unknown variant, named by `title`. `allOf` accepts every string; TypeScript
/// generators turn it into `string & { length?: number }`, which, other than `string`, does not
/// absorb the known values, so that editors complete them.
fn other_word(name: &str, known: &Value) -> Value {
    json!({
        "title": format!("Other{name}"), "type": "string", "maxLength": MAX_WORD_LENGTH,
        "not": known,
        "allOf": [
            { "type": "string", "maxLength": MAX_WORD_LENGTH },
            { "properties": { "length": { "type": "integer", "format": "int32",
                "minimum": 0, "maximum": MAX_WORD_LENGTH,
                "description": "Length of the text, in generated TypeScript only.",
                "examples": [11] } } },
        ],
    })
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
