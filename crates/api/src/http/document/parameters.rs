//! Parameters of operations: those of the scope and of the handler's arguments, and
//! `Idempotency-Key`.

use postern_domain::operation::Demand;
use serde_json::{Value, json};
use utoipa::openapi::HttpMethod;

use crate::{
    http::{path, routes::Mounted},
    operations::{Op, op::DeleteOrg},
};

/// Completes the parameters of an operation.
pub fn add(operation: &mut Value, mounted: &Mounted) {
    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    // Required parameters come first.
    parameters.sort_by_key(|parameter| parameter["in"] != "path");
    let required = mounted.row.demands.contains(&Demand::IdempotencyKey);
    if matches!(mounted.method, HttpMethod::Post) && mounted.row.is_repeatable() {
        let first = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        parameters.insert(first, idempotency_key(required));
    }
    for parameter in &mut parameters {
        // Running all examples in turn deletes only the org that `create_org` has created.
        if parameter["name"] == path::ORG && mounted.row.id == DeleteOrg::ROW.id {
            parameter["schema"]["examples"] = json!(["umbrella"]);
        }
        let is_filter = parameter["in"] == "query" && parameter["required"] != true;
        if is_filter && parameter["name"] != "limit" && parameter["name"] != "cursor" {
            // Forms send an empty value for an empty field: it counts as absent.
            parameter["allowEmptyValue"] = true.into();
        }
        if parameter["in"] != "path" && parameter["required"] != true {
            describe_example(parameter);
        }
    }
    if parameters.is_empty() {
        operation.as_object_mut().expect("an operation is an object").remove("parameters");
    } else {
        operation["parameters"] = parameters.into();
    }
}

fn idempotency_key(required: bool) -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": required,
        "description": "Random value that you choose for this operation, 1 to 255 visible ASCII \
                        characters. A repeat with the same value and body within 24 hours gets \
                        the stored response, with `Idempotency-Replayed: true`.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        "example": "f0c7d6c2-3a52-4b0e-9a76-0d8a7c9b1e11",
    })
}

/// Moves the example of an optional parameter to its description. Swagger UI fills in examples: an
/// unintended filter would hide rows, an unintended version or key would be rejected.
fn describe_example(parameter: &mut Value) {
    let example = parameter.as_object_mut().and_then(|members| members.remove("example"));
    let of_schema = parameter["schema"]
        .as_object_mut()
        .and_then(|members| members.remove("examples"))
        .and_then(|examples| examples.get(0).cloned());
    if let Some(example) = example.or(of_schema).as_ref().and_then(Value::as_str) {
        let text = parameter["description"].as_str().unwrap_or_default();
        parameter["description"] = format!("{text} Example: `{example}`.").into();
    }
}
