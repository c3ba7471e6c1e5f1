//! Request bodies that the documentation page fills in. One rule for all operations: a body states
//! nothing on behalf of the operator. Texts and choices are empty, so that a request is rejected
//! until the operator has typed them: reasons, tickets, passwords, roles, confirmations. Only an
//! optional choice has a value, the least powerful one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::http::Routes;

/// Bodies by operation ID: `required` has the required fields and the optional choices, `all` has
/// every field.
pub fn bodies(routes: &Routes) -> Value {
    let bodies = routes.mounted().iter().filter_map(|mounted| {
        let operation =
            serde_json::to_value(&mounted.document).expect("an operation serializes to JSON");
        let schema = operation.pointer("/requestBody/content/application~1json/schema")?;
        let schemas = mounted.schemas.iter().map(|(name, schema)| {
            (name.as_str(), serde_json::to_value(schema).expect("a schema serializes to JSON"))
        });
        let prefill = Prefill { schemas: schemas.collect() };
        let bodies = json!({
            "required": prefill.value(schema, true, Fields::Required),
            "all": prefill.value(schema, true, Fields::All),
        });
        Some((mounted.row.id.to_owned(), bodies))
    });
    Value::Object(bodies.collect::<Map<_, _>>())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    Required,
    All,
}

struct Prefill<'a> {
    schemas: BTreeMap<&'a str, Value>,
}

impl Prefill<'_> {
    fn value(&self, schema: &Value, required: bool, fields: Fields) -> Value {
        let schema = self.resolve(schema);
        if let Some(properties) = schema["properties"].as_object() {
            let must_have = |name: &str| {
                schema["required"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|required| required == name))
            };
            let shown = properties.iter().filter(|(name, field)| {
                fields == Fields::All || must_have(name) || self.lowest_choice(field).is_some()
            });
            return Value::Object(
                shown
                    .map(|(name, field)| (name.clone(), self.value(field, must_have(name), fields)))
                    .collect(),
            );
        }
        match self.lowest_choice(schema) {
            Some(lowest) if !required => lowest.clone(),
            _ => empty(schema),
        }
    }

    /// First value of an enum: enums in bodies list the least powerful value first.
    fn lowest_choice<'s>(&'s self, schema: &'s Value) -> Option<&'s Value> {
        self.resolve(schema)["enum"].get(0)
    }

    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        let choice = || schema["oneOf"].as_array()?.iter().find(|part| part.get("$ref").is_some());
        match name {
            Some(name) => self.resolve(&self.schemas[name]),
            None => choice().map_or(schema, |choice| self.resolve(choice)),
        }
    }
}

/// Value that every rule rejects, or that changes nothing.
fn empty(schema: &Value) -> Value {
    let kind = &schema["type"];
    let is = |name: &str| kind == name || kind.as_array().is_some_and(|all| all[0] == name);
    match () {
        () if is("string") => json!(""),
        () if is("array") => json!([]),
        () if is("object") => json!({}),
        () => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths of the values in a body that state something.
    fn stated(path: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    stated(&format!("{path}/{name}"), member, found);
                }
            }
            Value::Array(items) if items.is_empty() => {}
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            value => found.push(format!("{path}={value}")),
        }
    }

    #[test]
    fn bodies_state_nothing_but_read_only_access() {
        let routes = crate::routes::routes();
        let bodies = bodies(&routes);
        for mounted in routes.mounted() {
            assert_eq!(
                mounted.document.request_body.is_some(),
                bodies.get(mounted.row.id).is_some(),
                "{}: an operation has a prefilled body if it takes one",
                mounted.row.id
            );
        }
        let mut found = Vec::new();
        stated("", &bodies, &mut found);
        assert_eq!(
            found,
            [
                "/start_impersonation/all/mode=\"read_only\"",
                "/start_impersonation/required/mode=\"read_only\""
            ]
        );
    }

    #[test]
    fn optional_fields_are_left_out_of_required_ones() {
        let bodies = bodies(&crate::routes::routes());
        assert_eq!(
            bodies["start_impersonation"]["required"],
            json!({
                "target_user_id": "", "org": "", "reason": "", "ticket_ref": "",
                "mode": "read_only",
            })
        );
        assert_eq!(
            bodies["update_settings"],
            json!({
                "required": {},
                "all": { "support_email": "", "branding": { "color": "", "logo_url": "" } },
            })
        );
        assert_eq!(
            bodies["set_staff_tier"]["all"],
            json!({ "tier": "", "reason": "", "ticket_ref": "" })
        );
    }
}
