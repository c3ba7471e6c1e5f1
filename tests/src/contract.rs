//! Checks every response in a test against the OpenAPI document.

use std::sync::LazyLock;

use serde_json::Value;

use crate::Answer;

static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&postern_api::openapi()).expect("JSON"));

/// Asserts that the document lists the response's status, problem code and media type for the
/// operation, and that the response has the required headers.
pub fn has_said(method: &str, path: &str, answer: &Answer) {
    // The introduction of the document describes these for all paths.
    if matches!(answer.status, 304 | 405) || method == "OPTIONS" {
        return;
    }
    let Some(operation) = operation(if method == "HEAD" { "GET" } else { method }, path) else {
        return;
    };
    let id = &operation["operationId"];
    let response = meant(&operation["responses"][answer.status.to_string()]);
    assert!(
        response.is_object(),
        "{id}: status {} is not in the contract: {}",
        answer.status,
        answer.body
    );
    let media_type = answer.header("content-type");
    let media_type = media_type.split(';').next().unwrap_or_default();
    let content = response["content"].as_object();
    assert!(
        content.map_or(media_type.is_empty(), |content| content.contains_key(media_type)),
        "{id} {}: media type {media_type} is not in the contract",
        answer.status
    );
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        assert!(
            meant(header)["required"] != true || answer.has_header(name),
            "{id} {}: required header {name} is missing",
            answer.status
        );
    }
    if answer.status >= 400 && method != "HEAD" {
        let code = answer.text("/code");
        let examples = &response["content"]["application/problem+json"]["examples"];
        assert!(examples.get(&code).is_some(), "{id}: problem {code} is not in the contract");
    }
}

/// Resolves a reference.
fn meant(value: &'static Value) -> &'static Value {
    value["$ref"].as_str().map_or(value, |reference| {
        CONTRACT.pointer(reference.trim_start_matches('#')).expect("the reference resolves")
    })
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next()?;
    let paths = CONTRACT["paths"].as_object()?;
    // If several patterns match, the one with fewest parameters.
    let (_, methods) = paths
        .iter()
        .filter(|(pattern, _)| fits(pattern, path))
        .min_by_key(|(pattern, _)| pattern.matches('{').count())?;
    methods.get(method.to_lowercase())
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            // Tile numbers contain slashes.
            (None, None) | (Some("{tile}"), Some(_)) => return true,
            (Some(expected), Some(segment))
                if expected == segment || expected.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}
