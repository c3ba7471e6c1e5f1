//! Unions of schemas, in the form that generators support best (decision record 0049).

use std::borrow::Cow;

use postern_audit_log::commitment::PersonalField;
use postern_domain::{
    action::Action, end_cause::EndCause, event::ActorType, event_draft::TargetType,
    feature::FeatureKey, org::OrgStatus, permission::Permission, plan::Plan,
};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::http::{code::Code, field_code::FieldCode};

/// Maximum length of the values of open enums.
const MAX_WORD_LENGTH: u64 = 64;

/// Open enums by schema name, each with the advice for clients that get an unknown value.
fn open_enums() -> [(Cow<'static, str>, &'static str); 11] {
    [
        (<Action as ToSchema>::name(), "Show the summary of an event with an unknown action."),
        (<ActorType as ToSchema>::name(), "Show the e-mail address or ID of an unknown actor."),
        (<Code as ToSchema>::name(), "Treat an unknown code by its HTTP status."),
        (<EndCause as ToSchema>::name(), "Show the name of an unknown cause."),
        (<FeatureKey as ToSchema>::name(), "Ignore unknown features."),
        (<FieldCode as ToSchema>::name(), "Show the detail of an error with an unknown code."),
        (<OrgStatus as ToSchema>::name(), "Show the name of an unknown status."),
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

/// Restricts the parameters of an operation to known values: the server rejects others.
pub fn close_parameters(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        close(&mut parameter["schema"]);
    }
}

/// Restricts request bodies to known values.
pub fn close_bodies(schemas: &mut Map<String, Value>) {
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| name.ends_with("Body")) {
        close(schema);
    }
}

/// Replaces references to open enums by references to their known values.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let open = members.get("$ref").and_then(Value::as_str).and_then(|reference| {
                let name = reference.strip_prefix("#/components/schemas/")?;
                open_enums().into_iter().find_map(|(open, _)| (open == name).then_some(open))
            });
            if let Some(name) = open {
                members.insert("$ref".into(), format!("#/components/schemas/Known{name}").into());
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Any string except the known values. `not` makes the union exclusive: Rust generators then emit
/// an enum with an unknown variant, named by `title`.
fn other_word(name: &str, known: &Value) -> Value {
    json!({
        "title": format!("Other{name}"), "type": "string", "maxLength": MAX_WORD_LENGTH,
        "not": known,
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
