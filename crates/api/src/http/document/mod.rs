//! The OpenAPI document: annotations of the handlers, completed from the operations table and the
//! catalogue of problems. No fact is stated twice.

mod bounds;
mod examples;
mod headers;
mod links;
pub mod openapi_3_0;
mod parameters;
mod policy_text;
pub mod problems;
mod unions;

use std::collections::BTreeMap;

use postern_domain::scope::ScopeKind;
use serde_json::{Value, json};
use utoipa::openapi::{
    ComponentsBuilder, ContactBuilder, HttpMethod, InfoBuilder, LicenseBuilder, OpenApiBuilder,
    PathItem, PathsBuilder,
};

use super::{
    code::Code,
    field_code::FieldCode,
    problem::{FieldError, ProblemBody},
    routes::{Mounted, Routes},
};

/// Introduction for integrators.
const INTRODUCTION: &str = include_str!("introduction.md");

/// Tags in the order of a day's work, interfaces for programs last, with descriptions.
const TAGS: [(&str, &str); 12] = [
    ("identity", "Sign-in, sign-out and token refresh."),
    ("me", "The signed-in user: profile, sessions, password and permissions."),
    ("accounts", "Search over users and orgs, for staff."),
    ("support", "Impersonation of customers' users by staff."),
    ("orgs", "Orgs: creation, data, dashboard and deletion."),
    ("members", "Members of an org and their roles."),
    ("settings", "Settings and features of an org."),
    ("audit", "Audit events of an org and of the platform: changes, denials, staff actions."),
    ("staff", "Staff members and their tiers."),
    ("permissions", "Permissions, with the roles and tiers that have them."),
    (
        "transparency-log",
        "Proofs for auditors: checkpoints, keys, tiles and inclusion proofs of the audit log.",
    ),
    ("system", "Token verification, health, readiness, metrics and problem documentation."),
];

/// Address of the server in the committed document: the default of `server.public_url`. A server
/// replaces it with its own.
const GOLDEN_URL: &str = "http://localhost:8080";

/// The document as committed in `openapi/`.
pub fn golden(routes: &Routes) -> Value {
    document(routes, GOLDEN_URL)
}

/// The complete document of the server at `public_url`, with keys in a stable order.
pub fn document(routes: &Routes, public_url: &str) -> Value {
    let mut document = annotations(routes);
    // Generators copy the description to other places, where a relative link leads nowhere.
    let introduction = INTRODUCTION.replace("](/docs/", &format!("]({public_url}/docs/"));
    document["info"]["description"] = introduction.into();
    document["tags"] = TAGS
        .iter()
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect();
    document["servers"] = json!([{
        "url": public_url, "x-internal": false,
        "description": "This server (`server.public_url`, by default local).",
    }]);
    document["components"]["securitySchemes"] = json!({ "bearer": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        // A lint of the contract requires the spelling `RFC8725`.
        "description": "Access token (RFC 9068; verified according to RFC8725) of a session \
                        from `POST /v1/auth/login`, or of an impersonation.",
    } });
    document["components"]["headers"] = headers::shared();
    let mut shared = BTreeMap::new();
    for mounted in routes.mounted() {
        let operation = &mut document["paths"][&mounted.path][method_name(&mounted.method)];
        finish(operation, mounted, &mut shared);
    }
    document["components"]["responses"] = shared.into_iter().collect();
    let schemas =
        document["components"]["schemas"].as_object_mut().expect("the document has schemas");
    bounds::apply(schemas);
    unions::open_lists(schemas);
    unions::close_bodies(schemas);
    for schema in schemas.values_mut() {
        unions::hoist_descriptions(schema);
        examples::add_moments(schema);
    }
    drop_unused_headers(&mut document);
    examples::add(&mut document);
    document
}

/// The annotations of the handlers as a document.
fn annotations(routes: &Routes) -> Value {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new();
    for mounted in routes.mounted() {
        let operation = PathItem::new(mounted.method.clone(), mounted.document.clone());
        paths = paths.path(&mounted.path, operation);
        components = components.schemas_from_iter(mounted.schemas.clone());
    }
    let components = components
        .schema_from::<ProblemBody>()
        .schema_from::<Code>()
        .schema_from::<FieldError>()
        .schema_from::<FieldCode>();
    let contact = ContactBuilder::new()
        .name(Some("The Postern team"))
        .url(Some("https://postern.example"))
        .build();
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("Postern")
        .version(env!("CARGO_PKG_VERSION"))
        .contact(Some(contact))
        .license(Some(license))
        .build();
    let document = OpenApiBuilder::new()
        .info(info)
        .paths(paths.build())
        .components(Some(components.build()))
        .build();
    serde_json::to_value(&document).expect("the document serializes to JSON")
}

/// Removes headers that no response refers to: those of deprecated operations, if there are none.
fn drop_unused_headers(document: &mut Value) {
    let text = document.to_string();
    let headers =
        document["components"]["headers"].as_object_mut().expect("the document has headers");
    headers.retain(|name, _| text.contains(&format!("\"#/components/headers/{name}\"")));
}

fn finish(operation: &mut Value, mounted: &Mounted, shared: &mut BTreeMap<String, Value>) {
    let row = mounted.row;
    operation["operationId"] = row.id.into();
    operation["security"] =
        if row.scope == ScopeKind::Public { json!([]) } else { json!([{ "bearer": [] }]) };
    operation["x-impersonation"] = row.impersonated.name().into();
    if let Some(permission) = row.needs {
        operation["x-required-permission"] = permission.name().into();
    } else if row.scope != ScopeKind::Public {
        operation["x-required-permission"] = "signed_in".into();
    }
    match row.records.actions() {
        [] => {}
        [action] => operation["x-audit-action"] = action.name().into(),
        actions => {
            operation["x-audit-action"] =
                actions.iter().map(|action| Value::from(action.name())).collect();
        }
    }
    if !row.demands.is_empty() {
        operation["x-demands"] =
            row.demands.iter().map(|demand| Value::from(demand.name())).collect();
    }
    let text = operation["description"].as_str().unwrap_or_default().to_owned();
    operation["description"] = format!("{text}\n\n{}", policy_text::of(row)).trim().into();
    if row.deprecated.is_some() {
        operation["deprecated"] = true.into();
    }
    parameters::add(operation, mounted);
    problems::add(operation, mounted, shared);
    unions::close_parameters(operation);
    bounds::bound_operation(operation);
    headers::add(operation, mounted);
    links::add(operation);
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
