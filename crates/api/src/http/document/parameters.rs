//! What every path and every request that may be repeated has in common.

use postern_domain::operation::Demand;
use serde_json::{Value, json};
use utoipa::openapi::HttpMethod;

use crate::http::routes::Mounted;

/// Path parameters are the same everywhere, and so is the key of requests that may be repeated.
pub fn add(operation: &mut Value, mounted: &Mounted) {
    let mut parameters = Vec::new();
    for name in mounted.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let (description, schema) = match name {
            "org" => {
                // Who tries all examples in turn deletes what they have created, and nothing else.
                let example = if mounted.row.id == "delete_org" { "umbrella" } else { "acme" };
                (
                    "The org, by id or by slug.".to_owned(),
                    json!({ "type": "string", "maxLength": 40, "examples": [example] }),
                )
            }
            "key" => {
                ("The feature.".to_owned(), json!({ "$ref": "#/components/schemas/FeatureKey" }))
            }
            "code" => (
                "The code of the problem.".to_owned(),
                json!({ "type": "string", "maxLength": 64, "examples": ["not_found"] }),
            ),
            "level" => (
                "The level of the tile: 0 are the entries' own hashes.".to_owned(),
                json!({ "type": "string", "pattern": "^[0-7]$", "examples": ["0"] }),
            ),
            "tile" => (
                "The number of the tile, and the width of one that is not whole.".to_owned(),
                json!({ "type": "string", "maxLength": 40, "pattern": "^(x[0-9]{3}/)*[0-9]{3}(\\.p/[0-9]{1,3})?$", "examples": ["000.p/1"] }),
            ),
            thing => {
                let prefix = match thing {
                    "member" => "mem",
                    "session" => "sess",
                    "impersonation" => "imp",
                    "event" => "evt",
                    other => other,
                };
                (format!("The {thing}, by id."), id_schema(prefix))
            }
        };
        parameters.push(json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema }));
    }
    // What a request cannot do without comes first.
    parameters.extend(operation["parameters"].as_array().cloned().unwrap_or_default());
    let demanded = mounted.row.demands.contains(&Demand::IdempotencyKey);
    if matches!(mounted.method, HttpMethod::Post) && mounted.row.is_repeatable() {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": demanded,
            "description": "A value of your own for this intention: 1 to 255 visible ASCII characters. A repeat with the same value and body \
                            within 24 hours gets the first answer again, with `Idempotency-Replayed: true`.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            "example": "f0c7d6c2-3a52-4b0e-9a76-0d8a7c9b1e11",
        }));
    }
    if let Some(version) = parameters.iter_mut().find(|one| one["name"] == "If-Match") {
        version["schema"]["pattern"] = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$"#.into();
    }
    // Swagger UI fills examples in; a filter that nobody chose hides what was looked for, and a version or a key that nobody chose is refused.
    for parameter in
        parameters.iter_mut().filter(|one| one["in"] != "path" && one["required"] != true)
    {
        if let Some(example) =
            parameter.as_object_mut().and_then(|one| one.remove("example")).filter(Value::is_string)
        {
            let said = parameter["description"].as_str().unwrap_or_default();
            parameter["description"] =
                format!("{said} For example `{}`.", example.as_str().unwrap_or_default()).into();
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
