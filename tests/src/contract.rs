//! Checks every response in a test against the OpenAPI document.

use std::sync::LazyLock;

use serde_json::Value;

use crate::Response;

static CONTRACT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(&postern_api::openapi()).expect("the document is valid JSON")
});

/// Asserts that the document lists the response's status, problem code and media type for the
/// operation, and that the response has the required headers.
pub fn assert_documented(method: &str, path: &str, response: &Response) {
    // The introduction of the document describes these for all paths.
    if matches!(response.status, 304 | 405) || method == "OPTIONS" {
        return;
    }
    let Some(operation) = operation(if method == "HEAD" { "GET" } else { method }, path) else {
        return;
    };
    let id = &operation["operationId"];
    let documented = resolve(&operation["responses"][response.status.to_string()]);
    assert!(
        documented.is_object(),
        "{id}: status {} is in the contract: {}",
        response.status,
        response.body
    );
    let media_type = response.header("content-type");
    let media_type = media_type.split(';').next().unwrap_or_default();
    let content = documented["content"].as_object();
    assert!(
        content.map_or(media_type.is_empty(), |content| content.contains_key(media_type)),
        "{id} {}: media type {media_type} is in the contract",
        response.status
    );
    for (name, header) in documented["headers"].as_object().into_iter().flatten() {
        assert!(
            resolve(header)["required"] != true || response.has_header(name),
            "{id} {}: the response has the required header {name}",
            response.status
        );
    }
    if response.status >= 400 && method != "HEAD" {
        let code = response.text("/code");
        let examples = &documented["content"]["application/problem+json"]["examples"];
        assert!(examples.get(&code).is_some(), "{id}: problem {code} is in the contract");
    }
}

/// Resolves a reference.
fn resolve(value: &'static Value) -> &'static Value {
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
        .filter(|(pattern, _)| matches_pattern(pattern, path))
        .min_by_key(|(pattern, _)| pattern.matches('{').count())?;
    methods.get(method.to_lowercase())
}

fn matches_pattern(pattern: &str, path: &str) -> bool {
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
