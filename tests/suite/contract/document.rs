//! The OpenAPI document: served as committed, generated the same each time, and complete.

use std::collections::BTreeSet;

use postern_tests::{App, on_both};
use serde_json::Value;

use super::contract;

on_both![contract_and_swagger_ui_are_served];

async fn contract_and_swagger_ui_are_served(t: &App) {
    for (path, committed) in [
        ("/openapi.json", include_str!("../../../openapi/openapi.json")),
        ("/openapi-3.0.json", include_str!("../../../openapi/openapi-3.0.json")),
    ] {
        let served = t.anonymous().get(path).await.expect(200);
        let url = &t.state.server.public_url;
        assert!(
            served.body == committed.replace("http://localhost:8080", url),
            "{path} equals openapi{path} with the server's `public_url`: run `make golden`"
        );
        assert_eq!(served.text("/servers/0/url"), *url, "{path}: the server is `public_url`");
    }
    let page = t.anonymous().get("/docs/").await.expect(200);
    assert!(
        page.body.contains("swagger-ui")
            && page.header("content-security-policy").contains("script-src 'self';"),
        "/docs/ is Swagger UI with a content security policy"
    );
    for asset in [
        "operator.js",
        "operator.css",
        "pages.css",
        "prefill.json",
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "favicon-32x32.png",
    ] {
        t.anonymous().send("HEAD", &format!("/docs/{asset}"), None).await.expect(200);
    }
    let introduction = contract()["info"]["description"].as_str().unwrap_or_default().to_owned();
    let guides: Vec<&str> = introduction
        .split("](http://localhost:8080")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert!(guides.len() > 5, "the introduction links to guides: {guides:?}");
    for guide in guides {
        let page = t.anonymous().get(guide).await.expect(200);
        assert!(page.body.contains("<h1>"), "{guide} is a page: {}", page.body);
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
        postern_api::openapi_3_0(),
        include_str!("../../../openapi/openapi-3.0.json"),
        "openapi/openapi-3.0.json is up to date: run `make golden`"
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

/// Paths that the section on operations that do not exist names in code spans.
fn missing_paths(text: &str) -> BTreeSet<&str> {
    let (_, section) = text.split_once("## Not implemented yet\n").expect("the text has a section");
    let section = section.split("\n## ").next().unwrap_or(section);
    section.split('`').skip(1).step_by(2).filter(|span| span.starts_with('/')).collect()
}

#[test]
fn missing_operations_are_named_until_they_exist() {
    let contract = contract();
    let introduction = contract["info"]["description"].as_str().expect("an introduction");
    let missing = missing_paths(introduction);
    assert!(missing.len() > 10, "the introduction names missing operations: {missing:?}");
    assert_eq!(
        missing_paths(include_str!("../../../README.md")),
        missing,
        "README and introduction name the same operations"
    );
    for path in contract["paths"].as_object().expect("paths are an object").keys() {
        for part in &missing {
            assert!(!format!("{path}/").contains(&format!("{part}/")), "{path} exists: {part}");
        }
    }
}

#[test]
fn introduction_is_at_most_a_page() {
    let contract = contract();
    let text = contract["info"]["description"].as_str().expect("the document has an introduction");
    let (lines, chars) = (text.lines().count(), text.chars().count());
    assert!(lines <= 60 && chars <= 3_000, "{lines} lines and {chars} characters");
}

#[test]
fn shared_responses_have_short_names() {
    let contract = contract();
    for name in contract["components"]["responses"].as_object().expect("an object").keys() {
        assert!(
            name.len() <= 32 && name.chars().all(|letter| letter.is_ascii_alphabetic()),
            "{name} is short and usable as a type name"
        );
    }
    let shared = &contract["components"]["responses"];
    for name in ["Unauthorized", "NotFound", "InvalidBody"] {
        assert!(shared[name].is_object(), "{name} is a shared response");
    }
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
