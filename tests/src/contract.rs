//! The contract as a judge: whatever a test is answered, the contract has said that it may be.

use std::sync::LazyLock;

use serde_json::Value;

use crate::Answer;

static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&postern_api::openapi()).expect("JSON"));

/// Insists that the operation at this path may answer so: with this status, this problem, this media type, and the headers that are promised.
pub fn has_said(method: &str, path: &str, answer: &Answer) {
    // What is said of every path alike stands in the contract's introduction.
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
        "{id} never answers {}, says the contract: {}",
        answer.status,
        answer.body
    );
    let kind = answer.header("content-type");
    let kind = kind.split(';').next().unwrap_or_default();
    let content = response["content"].as_object();
    assert!(
        content.map_or(kind.is_empty(), |kinds| kinds.contains_key(kind)),
        "{id} {} is never {kind}",
        answer.status
    );
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        assert!(
            meant(header)["required"] != true || answer.has_header(name),
            "{id} {} says no {name}",
            answer.status
        );
    }
    if answer.status >= 400 && method != "HEAD" {
        let code = answer.text("/code");
        let examples = &response["content"]["application/problem+json"]["examples"];
        assert!(examples.get(&code).is_some(), "{id} never answers {code}, says the contract");
    }
}

/// What a reference leads to.
fn meant(said: &'static Value) -> &'static Value {
    said["$ref"]
        .as_str()
        .map_or(said, |at| CONTRACT.pointer(at.trim_start_matches('#')).expect("it is there"))
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next()?;
    let paths = CONTRACT["paths"].as_object()?;
    // Where two would do, the one with more words.
    let found = paths
        .iter()
        .filter(|(pattern, _)| fits(pattern, path))
        .min_by_key(|(pattern, _)| pattern.matches('{').count());
    found?.1.get(method.to_lowercase())
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            // The number of a tile has slashes in it.
            (None, None) | (Some("{tile}"), Some(_)) => return true,
            (Some(one), Some(other))
                if one == other || one.starts_with('{') && !other.is_empty() => {}
            _ => return false,
        }
    }
}
