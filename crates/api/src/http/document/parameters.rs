//! Parameters that operations share: those in paths, and `Idempotency-Key`.

use postern_domain::operation::Demand;
use serde_json::{Value, json};
use utoipa::openapi::HttpMethod;

use crate::http::routes::Mounted;

/// Adds the path parameters and `Idempotency-Key`, and completes the declared parameters.
pub fn add(operation: &mut Value, mounted: &Mounted) {
    let mut parameters = Vec::new();
    for name in mounted.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let (description, schema) = match name {
            "org" => {
                // Running all examples in turn deletes only the org that `create_org` has created.
                let example = if mounted.row.id == "delete_org" { "umbrella" } else { "acme" };
                (
                    "ID or slug of the org.".to_owned(),
                    json!({ "type": "string", "maxLength": 40, "examples": [example] }),
                )
            }
            "key" => (
                "Key of the feature.".to_owned(),
                json!({ "$ref": "#/components/schemas/FeatureKey" }),
            ),
            "code" => (
                "Code of the problem.".to_owned(),
                json!({ "type": "string", "maxLength": 64, "examples": ["not_found"] }),
            ),
            "level" => (
                "Level of the tile; level 0 has the hashes of the entries.".to_owned(),
                json!({ "type": "string", "pattern": "^[0-7]$", "examples": ["0"] }),
            ),
            "tile" => (
                "Index of the tile, with the width of a partial tile.".to_owned(),
                json!({
                    "type": "string", "maxLength": 40,
                    "pattern": "^(x[0-9]{3}/)*[0-9]{3}(\\.p/[0-9]{1,3})?$",
                    "examples": ["000.p/1"],
                }),
            ),
            thing => {
                let prefix = match thing {
                    "member" => "mem",
                    "session" => "sess",
                    "impersonation" => "imp",
                    "event" => "evt",
                    other => other,
                };
                (format!("ID of the {thing}."), id_schema(prefix))
            }
        };
        parameters.push(json!({
            "name": name, "in": "path", "required": true,
            "description": description, "schema": schema,
        }));
    }
    // Required parameters come first.
    parameters.extend(operation["parameters"].as_array().cloned().unwrap_or_default());
    let required = mounted.row.demands.contains(&Demand::IdempotencyKey);
    if matches!(mounted.method, HttpMethod::Post) && mounted.row.is_repeatable() {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": required,
            "description": "Random value that you choose for this operation, 1 to 255 visible \
                            ASCII characters. A repeat with the same value and body within 24 \
                            hours gets the stored response, with `Idempotency-Replayed: true`.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            "example": "f0c7d6c2-3a52-4b0e-9a76-0d8a7c9b1e11",
        }));
    }
    let mut all = parameters.iter_mut();
    if let Some(if_match) = all.find(|parameter| parameter["name"] == "If-Match") {
        if_match["schema"]["pattern"] = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$"#.into();
    }
    // Swagger UI fills in examples. Those of optional parameters move to the description: an
    // unintended filter would hide rows, an unintended version or key would be rejected.
    for parameter in parameters
        .iter_mut()
        .filter(|parameter| parameter["in"] != "path" && parameter["required"] != true)
    {
        if let Some(example) = parameter
            .as_object_mut()
            .and_then(|members| members.remove("example"))
            .filter(Value::is_string)
        {
            let text = parameter["description"].as_str().unwrap_or_default();
            parameter["description"] =
                format!("{text} Example: `{}`.", example.as_str().unwrap_or_default()).into();
        }
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
}

fn id_schema(prefix: &str) -> Value {
    json!({
        "type": "string", "maxLength": prefix.len() + 27,
        "pattern": format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"),
        "examples": [format!("{prefix}_01k7fgpr00e00800000000000g")],
    })
}
