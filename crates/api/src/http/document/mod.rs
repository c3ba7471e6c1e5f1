//! The OpenAPI document: what the routes say of themselves, finished with what the table and the catalogue of problems
//! know. Nothing is written down twice, so nothing can drift.

mod bounds;
mod examples;
mod headers;
mod links;
mod parameters;
mod problems;
mod unions;
mod words;

use std::collections::BTreeMap;

use postern_domain::scope::ScopeKind;
use serde_json::{Value, json};
use utoipa::openapi::{
    ComponentsBuilder, ContactBuilder, HttpMethod, InfoBuilder, LicenseBuilder, OpenApiBuilder,
    PathItem, PathsBuilder,
};

use super::{
    code::Code,
    problem::{FieldError, ProblemBody},
    routes::{Mounted, Routes},
};

/// Introduces the contract to somebody who has never seen it.
const INTRODUCTION: &str = include_str!("introduction.md");

/// The tags in reading order, each with what it is about.
const TAGS: [(&str, &str); 9] = [
    (
        "identity",
        "Signing in and out, keeping a session alive, and the keys with which others verify our tokens.",
    ),
    ("me", "The person who is signed in, their sessions, and what they may do."),
    ("orgs", "A customer's own panel: the org itself, its dashboard, and how it comes and goes."),
    ("members", "Who belongs to an org, and as what."),
    ("settings", "What an org sets for itself, and which features it has."),
    (
        "audit",
        "The record of an org: every change, every denial, and everything that support did there.",
    ),
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
    let components =
        components.schema_from::<ProblemBody>().schema_from::<Code>().schema_from::<FieldError>();
    let contact = ContactBuilder::new()
        .name(Some("The Postern team"))
        .url(Some("https://postern.example"))
        .build();
    let license = LicenseBuilder::new()
        .name("Proprietary")
        .url(Some("https://postern.example/license"))
        .build();
    let info = InfoBuilder::new()
        .title("Postern")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION));
    let info = info.contact(Some(contact)).license(Some(license)).build();
    let document = OpenApiBuilder::new()
        .info(info)
        .paths(paths.build())
        .components(Some(components.build()))
        .build();
    let mut document = serde_json::to_value(&document).expect("a document is plain data");
    document["tags"] = TAGS
        .iter()
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect();
    document["servers"] = json!([{ "url": "/", "description": "The server that this document comes from: production, staging or local.", "x-internal": false }]);
    document["components"]["securitySchemes"] = json!({ "bearer": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "An access token (RFC 9068, verified after RFC8725) from `POST /v1/auth/login`, or an impersonation's.",
    } });
    document["components"]["headers"] = headers::shared();
    let mut shared = BTreeMap::new();
    for mounted in routes.mounted() {
        let operation = &mut document["paths"][&mounted.path][method_name(&mounted.method)];
        finish(operation, mounted, &mut shared);
    }
    document["components"]["responses"] = shared.into_iter().collect();
    let schemas = document["components"]["schemas"].as_object_mut().expect("there are schemas");
    bounds::apply(schemas);
    unions::open_lists(schemas);
    for schema in schemas.values_mut() {
        unions::hoist_descriptions(schema);
        examples::add_moments(schema);
    }
    drop_unused_headers(&mut document);
    examples::add(&mut document);
    document
}

/// Those of operations that go, as long as none does.
fn drop_unused_headers(document: &mut Value) {
    let text = document.to_string();
    let headers = document["components"]["headers"].as_object_mut().expect("there are some");
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
                actions.iter().map(|action| Value::from(action.name())).collect()
        }
    }
    if !row.demands.is_empty() {
        operation["x-demands"] =
            row.demands.iter().map(|demand| Value::from(demand.name())).collect();
    }
    let said = operation["description"].as_str().unwrap_or_default().to_owned();
    operation["description"] = format!("{said}\n\n{}", words::of(row)).trim().into();
    if row.deprecated.is_some() {
        operation["deprecated"] = true.into();
    }
    parameters::add(operation, mounted);
    problems::add(operation, mounted, shared);
    bounds::bound_in_place(operation);
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
