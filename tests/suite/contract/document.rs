//! The OpenAPI document: served as committed, generated the same each time, and complete.

use postern_tests::{App, on_both};
use serde_json::Value;

use super::contract;

on_both![contract_and_swagger_ui_are_served];

async fn contract_and_swagger_ui_are_served(t: &App) {
    let served = t.anonymous().get("/openapi.json").await.expect(200);
    assert!(
        served.body == include_str!("../../../openapi/openapi.json"),
        "the served document equals openapi/openapi.json: run `make golden`"
    );
    let page = t.anonymous().get("/docs/").await.expect(200);
    assert!(
        page.body.contains("swagger-ui")
            && page.header("content-security-policy").contains("script-src 'self';"),
        "/docs/ is Swagger UI with a content security policy"
    );
    for asset in [
        "operator.js",
        "operator.css",
        "problem.css",
        "prefill.json",
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "favicon-32x32.png",
    ] {
        t.anonymous().send("HEAD", &format!("/docs/{asset}"), None).await.expect(200);
    }
    t.anonymous().get("/docs/other").await.problem(404, "not_found");
    t.anonymous().get("/nowhere").await.problem(404, "not_found");
}

#[test]
fn generated_files_are_up_to_date() {
    assert_eq!(
        postern_api::openapi(),
        postern_api::openapi(),
        "the document is the same each time"
    );
    assert_eq!(
        postern_api::operations_table(),
        include_str!("../../../openapi/operations.md"),
        "openapi/operations.md is up to date: run `make golden`"
    );
    assert_eq!(
        postern_api::permissions_table(),
        include_str!("../../../openapi/permissions.md"),
        "openapi/permissions.md is up to date: run `make golden`"
    );
    assert_eq!(
        postern_api::problems_table(),
        include_str!("../../../openapi/problems.md"),
        "openapi/problems.md is up to date: run `make golden`"
    );
    assert_eq!(
        postern_api::actions_table(),
        include_str!("../../../openapi/audit-actions.md"),
        "openapi/audit-actions.md is up to date: run `make golden`"
    );
}

#[test]
fn changelog_lists_the_current_version() {
    let changes = include_str!("../../../openapi/CHANGELOG.md");
    let version = contract()["info"]["version"].as_str().expect("version is a string").to_owned();
    assert!(
        changes.contains(&format!("\n## {version}")),
        "openapi/CHANGELOG.md has a section for {version}"
    );
}

#[test]
fn every_reference_resolves() {
    fn collect_references<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, member)| match member {
                Value::String(reference) if key == "$ref" => references.push(reference),
                _ => collect_references(member, references),
            }),
            Value::Array(items) => {
                for item in items {
                    collect_references(item, references);
                }
            }
            _ => {}
        }
    }
    let contract = contract();
    let mut references = Vec::new();
    collect_references(&contract, &mut references);
    assert!(!references.is_empty(), "the document contains references");
    for reference in references {
        assert!(
            contract.pointer(reference.trim_start_matches('#')).is_some(),
            "{reference} resolves"
        );
    }
}
