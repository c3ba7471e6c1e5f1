//! How an operation says no: what the table and the catalogue know of it.

use std::collections::BTreeMap;

use postern_domain::operation::ScopeKind;
use serde_json::{Map, Value, json};
use utoipa::openapi::HttpMethod;

use super::headers;
use crate::http::{problem::Code, routes::Mounted};

/// The problems that an operation can answer with because of what it is; its own ones stand in its annotation.
pub fn add(operation: &mut Value, mounted: &Mounted) {
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
            // The description names the codes that it is about.
            let said = response["description"].as_str().unwrap_or_default();
            let codes: Vec<Code> = said.split('`').filter_map(|word| Code::ALL.iter().find(|code| code.name() == word).copied()).collect();
            assert!(!codes.is_empty(), "an annotation names a code of the catalogue: {said}");
            *response = problem(said, &codes);
        }
    }
    let ordered: BTreeMap<String, Value> = std::mem::take(responses).into_iter().collect();
    responses.extend(ordered);
}

/// One shared answer for each status, which lists the codes that come with it.
pub fn shared() -> Value {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    let responses: Map<String, Value> = by_status
        .into_iter()
        .map(|(status, codes)| {
            let said: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.name(), code.title())).collect();
            (format!("Problem{status}"), problem(&format!("{}.", said.join(". ")), &codes))
        })
        .collect();
    responses.into()
}

/// An answer with one of these problems, each with an example. They have one status.
fn problem(description: &str, codes: &[Code]) -> Value {
    let examples: Map<String, Value> = codes.iter().map(|code| (code.name().to_owned(), example(*code))).collect();
    let content = json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "examples": examples });
    let headers = headers::of_problem(codes[0].status());
    json!({ "description": description, "headers": headers, "content": { "application/problem+json": content } })
}

fn example(code: Code) -> Value {
    let body = json!({
        "type": format!("/problems/{}", code.name()), "title": code.title(), "status": code.status().as_u16(),
        "detail": code.remedy(), "code": code.name(), "request_id": "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d",
    });
    json!({ "summary": code.title(), "value": body })
}
