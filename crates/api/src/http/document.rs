//! The OpenAPI document: what the routes say of themselves, finished with what the table and the catalogue of problems
//! know. Nothing is written down twice, so nothing can drift.

use std::collections::BTreeMap;

use postern_domain::operation::{Demand, Operation, Records, ScopeKind};
use serde_json::{Map, Value, json};
use utoipa::openapi::{ComponentsBuilder, ContactBuilder, HttpMethod, InfoBuilder, LicenseBuilder, OpenApiBuilder, PathItem, PathsBuilder};

use super::{
    bounds,
    problem::{Code, FieldError, ProblemBody},
    routes::{Mounted, Routes},
};

/// Introduces the contract to somebody who has never seen it.
const INTRODUCTION: &str = include_str!("introduction.md");

/// The tags in reading order, each with what it is about.
const TAGS: [(&str, &str); 9] = [
    ("identity", "Signing in and out, keeping a session alive, and the keys with which others verify our tokens."),
    ("me", "The person who is signed in, their sessions, and what they may do."),
    ("orgs", "A customer's own panel: the org itself, its dashboard, and how it comes and goes."),
    ("members", "Who belongs to an org, and as what."),
    ("settings", "What an org sets for itself, and which features it has."),
    ("audit", "The record of an org: every change, every denial, and everything that support did there."),
    ("support", "The staff portal: finding an account and stepping into it, under both names."),
    ("staff", "Who of the vendor's people is staff, and what they may do."),
    ("running", "For those who run Postern."),
];

/// The whole document, with its keys in a stable order.
pub fn document(routes: &Routes) -> Value {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new();
    for mounted in routes.mounted() {
        let operation = PathItem::new(mounted.method.clone(), mounted.document.clone());
        paths = paths.path(&mounted.path, operation);
        components = components.schemas_from_iter(mounted.schemas.clone());
    }
    let components = components.schema_from::<ProblemBody>().schema_from::<FieldError>();
    let contact = ContactBuilder::new().name(Some("The Postern team")).url(Some("https://postern.example")).build();
    let license = LicenseBuilder::new().name("Proprietary").identifier(Some("LicenseRef-Proprietary")).build();
    let info = InfoBuilder::new().title("Postern").version(env!("CARGO_PKG_VERSION")).description(Some(INTRODUCTION));
    let info = info.contact(Some(contact)).license(Some(license)).build();
    let document = OpenApiBuilder::new().info(info).paths(paths.build()).components(Some(components.build())).build();
    let mut document = serde_json::to_value(&document).expect("a document is plain data");
    document["tags"] = TAGS.iter().map(|(name, description)| json!({ "name": name, "description": description })).collect();
    document["servers"] = json!([{ "url": "/", "description": "The server that this document comes from: production, staging or local.", "x-internal": false }]);
    document["components"]["securitySchemes"] = json!({ "bearer": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "An access token (RFC 9068, verified after RFC8725) from `POST /v1/auth/login`, or an impersonation's.",
    } });
    document["components"]["responses"] = problem_responses();
    for mounted in routes.mounted() {
        let operation = &mut document["paths"][&mounted.path][method_name(&mounted.method)];
        finish(operation, mounted);
    }
    document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] =
        Code::ALL.iter().map(|code| Value::from(code.name())).collect();
    bounds::apply(document["components"]["schemas"].as_object_mut().expect("there are schemas"));
    drop_unused_responses(&mut document);
    add_examples(&mut document);
    document
}

/// Shared answers that no operation gives are left out.
fn drop_unused_responses(document: &mut Value) {
    let paths = document["paths"].to_string();
    let responses = document["components"]["responses"].as_object_mut().expect("there are responses");
    responses.retain(|name, _| paths.contains(&format!("\"#/components/responses/{name}\"")));
}

fn finish(operation: &mut Value, mounted: &Mounted) {
    let row = mounted.row;
    operation["operationId"] = row.id.into();
    operation["security"] = if row.scope == ScopeKind::Public { json!([]) } else { json!([{ "bearer": [] }]) };
    operation["x-impersonation"] = row.impersonated.name().into();
    if let Some(permission) = row.needs {
        operation["x-required-permission"] = permission.name().into();
    } else if row.scope != ScopeKind::Public {
        operation["x-required-permission"] = "signed_in".into();
    }
    match row.records.actions() {
        [] => {}
        [action] => operation["x-audit-action"] = action.name().into(),
        actions => operation["x-audit-action"] = actions.iter().map(|action| Value::from(action.name())).collect(),
    }
    if !row.demands.is_empty() {
        operation["x-demands"] = row.demands.iter().map(|demand| Value::from(demand.name())).collect();
    }
    let said = operation["description"].as_str().unwrap_or_default().to_owned();
    operation["description"] = format!("{said}\n\n{}", in_words(row)).trim().into();
    add_parameters(operation, mounted);
    add_problems(operation, mounted);
    bound_in_place(operation);
}

/// Bounds what an operation declares for itself.
fn bound_in_place(operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        bounds::bound(&name, &mut parameter["schema"]);
        // What may be left out is not there then; it is never null.
        let kinds = parameter["schema"]["type"].as_array().cloned().unwrap_or_default();
        if let [kind, Value::String(other)] = &kinds[..]
            && other == "null"
        {
            parameter["schema"]["type"] = kind.clone();
        }
    }
    for response in operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        for header in response.get_mut("headers").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
            bounds::bound("", &mut header["schema"]);
        }
        // A file, a stream or a text is as long as it is.
        let texts = |kind: &String| kind != "application/json" && kind != "application/problem+json";
        for (_, content) in response.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten().filter(|(kind, _)| texts(kind))
        {
            *content = json!({});
        }
    }
}

/// What the `x-` fields say, for people who read the document in Swagger UI.
fn in_words(row: &Operation) -> String {
    let mut words = match (row.scope, row.needs) {
        (ScopeKind::Public, _) => "**Who:** anybody.".to_owned(),
        (ScopeKind::InOrg, Some(needed)) => {
            format!("**Who:** members with `{needed}`, that is from {} up.", needed.lowest_role().map_or("owner", |role| role.name()))
        }
        (ScopeKind::Staff, Some(needed)) => {
            format!("**Who:** staff with `{needed}`, that is from {} up.", needed.lowest_tier().map_or("super_admin", |tier| tier.name()))
        }
        _ => "**Who:** anybody signed in.".to_owned(),
    };
    let actions = row.records.actions().iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(" or ");
    match row.records {
        Records::Nothing => {}
        Records::Always(_) => words += &format!(" **Records:** {actions}."),
        Records::Aside(_) => words += &format!(" **Records:** {actions}, when more is read than one's own, or a file is taken along."),
        Records::OnlyIf(_) => words += &format!(" **Records:** {actions}, only when something is wrong."),
    }
    if !row.demands.is_empty() {
        let demands = row.demands.iter().map(|demand| demand.name().replace('_', " ")).collect::<Vec<_>>().join(", ");
        words += &format!(" **Demands:** {demands}.");
    }
    if row.scope != ScopeKind::Public {
        words += &format!(" **Under impersonation:** {}.", row.impersonated.name());
    }
    words
}

/// Path parameters are the same everywhere, and so is the key of requests that may be repeated.
fn add_parameters(operation: &mut Value, mounted: &Mounted) {
    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    for name in mounted.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let (description, schema) = match name {
            "org" => ("The org, by id or by slug.".to_owned(), json!({ "type": "string", "maxLength": 40, "examples": ["acme"] })),
            "key" => ("The feature.".to_owned(), json!({ "$ref": "#/components/schemas/FeatureKey" })),
            "code" => ("The code of the problem.".to_owned(), json!({ "type": "string", "maxLength": 64, "examples": ["not_found"] })),
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
    let demanded = mounted.row.demands.contains(&Demand::IdempotencyKey);
    let repeatable = matches!(mounted.method, HttpMethod::Post) && mounted.row.scope != ScopeKind::Public;
    if repeatable && !mounted.row.records.actions().is_empty() {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": demanded,
            "description": "A value of your own for this intention. A repeat with the same value and body within 24 hours gets the \
                            first answer again, with `Idempotency-Replayed: true`.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            "example": "f0c7d6c2-3a52-4b0e-9a76-0d8a7c9b1e11",
        }));
    }
    // Swagger UI fills examples in, and a filter that nobody chose hides what was looked for.
    for parameter in parameters.iter_mut().filter(|one| one["in"] == "query" && one["required"] != true) {
        if let Some(example) = parameter.as_object_mut().and_then(|one| one.remove("example")).filter(Value::is_string) {
            let said = parameter["description"].as_str().unwrap_or_default();
            parameter["description"] = format!("{said} For example `{}`.", example.as_str().unwrap_or_default()).into();
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

/// The problems that an operation can answer with because of what it is; its own ones stand in its annotation.
fn add_problems(operation: &mut Value, mounted: &Mounted) {
    // Any operation refuses query parameters that it does not know.
    let mut statuses = vec![400, 500];
    let row = mounted.row;
    if row.scope != ScopeKind::Public {
        statuses.extend([401, 403, 503]);
    }
    if row.scope == ScopeKind::InOrg || (mounted.path.contains('{') && row.scope != ScopeKind::Public) {
        statuses.push(404);
    }
    if mounted.takes_body {
        statuses.extend([408, 413, 415, 422]);
    }
    if matches!(mounted.method, HttpMethod::Post) && !row.records.actions().is_empty() && row.scope != ScopeKind::Public {
        statuses.extend([409, 422]);
    }
    let responses = operation["responses"].as_object_mut().expect("an annotation names its answers");
    for status in statuses {
        let shared = json!({ "$ref": format!("#/components/responses/Problem{status}") });
        responses.entry(status.to_string()).or_insert(shared);
    }
    for (status, response) in responses.iter_mut() {
        let is_problem = status.parse::<u16>().is_ok_and(|status| status >= 400);
        if is_problem && response.get("$ref").is_none() && response.get("content").is_none() {
            // The description begins with the code that it is about.
            let named = response["description"].as_str().and_then(|said| said.split('`').nth(1)).unwrap_or_default();
            let code = Code::ALL.iter().find(|code| code.name() == named).expect("an annotation names a code of the catalogue");
            response["content"] = problem_content(*code);
        }
    }
    let ordered: BTreeMap<String, Value> = std::mem::take(responses).into_iter().collect();
    responses.extend(ordered);
}

fn problem_content(code: Code) -> Value {
    let example = json!({
        "type": format!("/problems/{}", code.name()), "title": code.title(), "status": code.status().as_u16(),
        "detail": code.remedy(), "code": code.name(), "request_id": "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d",
    });
    json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" }, "example": example } })
}

/// One shared answer for each status, which lists the codes that come with it.
fn problem_responses() -> Value {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    let responses: Map<String, Value> = by_status
        .into_iter()
        .map(|(status, codes)| {
            let content = problem_content(codes[0]);
            let codes: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.name(), code.title())).collect();
            let mut response = json!({ "description": codes.join(". ") + ".", "content": content });
            let header = |description: &str| json!({ "description": description, "schema": { "type": "string", "maxLength": 200 } });
            match status {
                401 => response["headers"] = json!({ "WWW-Authenticate": header("How to authenticate (RFC 6750).") }),
                429 | 503 => response["headers"] = json!({ "Retry-After": header("Seconds to wait.") }),
                _ => {}
            }
            (format!("Problem{status}"), response)
        })
        .collect();
    responses.into()
}

/// Gives each JSON body and each good answer an example, put together from those of its fields.
fn add_examples(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let paths = document["paths"].as_object_mut().expect("the document has paths");
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let mut contents: Vec<&mut Value> = Vec::new();
        let operation = operation.as_object_mut().expect("an operation is an object");
        for (key, part) in operation {
            match key.as_str() {
                "requestBody" => contents.extend(part.pointer_mut("/content/application~1json")),
                "responses" => contents.extend(
                    part.as_object_mut()
                        .into_iter()
                        .flat_map(Map::iter_mut)
                        .filter(|(status, _)| status.starts_with('2'))
                        .filter_map(|(_, response)| response.pointer_mut("/content/application~1json")),
                ),
                _ => {}
            }
        }
        for content in contents {
            content["example"] = example(&content["schema"], &schemas);
        }
    }
}

fn example(schema: &Value, schemas: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return example(&schemas[name], schemas);
    }
    for given in ["/example", "/examples/0", "/enum/0", "/const"] {
        if let Some(value) = schema.pointer(given) {
            return value.clone();
        }
    }
    for choice in ["oneOf", "anyOf"] {
        let alternatives = schema[choice].as_array().into_iter().flatten();
        if let Some(first) = alternatives.filter(|one| one["type"] != "null").map(|one| example(one, schemas)).next() {
            return first;
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let members = parts.iter().filter_map(|part| example(part, schemas).as_object().cloned()).flatten();
        return Value::Object(members.collect());
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str),
        kind => kind.as_str(),
    };
    let nullable = schema["type"].is_array();
    match kind {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            Value::Object(properties.map(|(name, property)| (name.clone(), example(property, schemas))).collect())
        }
        Some("array") => json!([example(&schema["items"], schemas)]),
        _ if nullable => Value::Null,
        Some("string") if schema["format"] == "date-time" => json!("2026-11-20T09:31:04.120Z"),
        Some("string") => json!("text"),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        _ => Value::Null,
    }
}

const fn method_name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "get",
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Delete => "delete",
        HttpMethod::Patch => "patch",
        HttpMethod::Options => "options",
        HttpMethod::Head => "head",
        HttpMethod::Trace => "trace",
    }
}
