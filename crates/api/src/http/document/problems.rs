//! Problems that an operation can return: those that follow from its row, and those of its
//! annotation.

use std::collections::BTreeMap;

use postern_domain::{
    operation::{Demand, Impersonated, Records},
    scope::ScopeKind,
};
use serde_json::{Map, Value, json};
use utoipa::openapi::HttpMethod;

use super::headers;
use crate::http::{code::Code, routes::Mounted};

/// Describes every problem that an operation can return. Responses without text of their own go to
/// `shared`.
pub fn add(operation: &mut Value, mounted: &Mounted, shared: &mut BTreeMap<String, Value>) {
    let by_status = take_by_status(operation, mounted);
    let responses = operation["responses"].as_object_mut().expect("the annotation has responses");
    for (status, (sentence, mut codes)) in by_status {
        if sentence.is_none() {
            // Shared responses are equal if they have the same problems.
            codes.sort_unstable();
        }
        let others = codes.iter().filter(|code| {
            !sentence.as_deref().unwrap_or_default().contains(&format!("`{}`", code.name()))
        });
        let others = others.map(|code| format!("`{}`: {}.", code.name(), code.title()));
        let description = sentence.clone().into_iter().chain(others).collect::<Vec<_>>().join(" ");
        let response = problem(&description, &codes);
        let is_shared = sentence.is_none() && mounted.row.deprecated.is_none();
        let response = if is_shared {
            let name = shared_name(&codes);
            let reference = json!({ "$ref": format!("#/components/responses/{name}") });
            let previous = shared.insert(name.clone(), response.clone());
            assert!(
                previous.is_none_or(|previous| previous == response),
                "two shared responses have the name {name}"
            );
            reference
        } else {
            response
        };
        responses.insert(status.to_string(), response);
    }
}

/// Problems that an operation can return.
pub fn codes(mounted: &Mounted) -> Vec<Code> {
    let mut operation =
        serde_json::to_value(&mounted.document).expect("an operation serializes to JSON");
    take_by_status(&mut operation, mounted).into_values().flat_map(|(_, codes)| codes).collect()
}

/// Takes the problems out of the annotation, and adds those that follow from the row: by status,
/// with the description of the annotation.
fn take_by_status(
    operation: &mut Value,
    mounted: &Mounted,
) -> BTreeMap<u16, (Option<String>, Vec<Code>)> {
    let mut by_status: BTreeMap<u16, (Option<String>, Vec<Code>)> = BTreeMap::new();
    let responses = operation["responses"].as_object_mut().expect("the annotation has responses");
    let annotated: Vec<String> =
        responses.keys().filter(|status| status.as_str() >= "400").cloned().collect();
    for status in annotated {
        let response = responses.remove(&status).expect("the status is a key of the responses");
        let sentence = response["description"].as_str().unwrap_or_default().to_owned();
        let codes: Vec<Code> = sentence.split('`').filter_map(Code::parse).collect();
        assert!(!codes.is_empty(), "the annotation names no code of the catalogue: {sentence}");
        by_status.insert(status.parse().expect("a status"), (Some(sentence), codes));
    }
    for code in of_row(mounted) {
        let (_, codes) = by_status.entry(code.status().as_u16()).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    by_status
}

/// Name of a shared response: that of its only problem, or that of its status, with a word for each
/// problem that not every response of this status has. Generated clients use it as a type name.
fn shared_name(codes: &[Code]) -> String {
    if let [code] = codes {
        return pascal_case(code.name());
    }
    let status = codes.first().expect("a response has a problem").status();
    let reason = status.canonical_reason().unwrap_or_default().split(' ');
    let reason = reason.filter(|word| *word != "Entity").map(str::to_owned);
    let words = codes.iter().map(|code| match code {
        Code::InvalidQuery
        | Code::Conflict
        | Code::InvalidBody
        | Code::PermissionDenied
        | Code::TokenExpired
        | Code::Unauthenticated
        | Code::InvalidToken
        | Code::SessionEnded
        | Code::ImpersonationEnded
        | Code::ImpersonationExpired
        | Code::Unavailable
        | Code::OutcomeUnknown => String::new(),
        Code::InvalidHeader => "Header".into(),
        Code::InvalidId => "Id".into(),
        Code::InvalidCursor => "Cursor".into(),
        Code::MalformedJson => "Json".into(),
        Code::IdempotencyKeyRequired => "Key".into(),
        Code::IdempotencyInFlight | Code::IdempotencyKeyReused => "Repeat".into(),
        Code::ImpersonationBlocked => "Impersonated".into(),
        Code::ImpersonationReadOnly => "ReadOnly".into(),
        other => pascal_case(other.name()),
    });
    reason.chain(words).collect()
}

/// `token_expired` as `TokenExpired`.
fn pascal_case(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            [first.to_ascii_uppercase(), rest.to_owned()]
        })
        .collect()
}

/// Problems that follow from the row, the most likely of each status first.
fn of_row(mounted: &Mounted) -> Vec<Code> {
    let row = mounted.row;
    let signed_in = row.scope != ScopeKind::Public;
    let repeatable = matches!(mounted.method, HttpMethod::Post) && row.is_repeatable();
    let rules: [(bool, &[Code]); 13] = [
        // Every operation rejects unknown query parameters.
        (true, &[Code::InvalidQuery, Code::Internal]),
        (true, &mounted.problems),
        (repeatable, &[Code::InvalidHeader]),
        (
            signed_in,
            &[Code::TokenExpired, Code::Unauthenticated, Code::InvalidToken, Code::SessionEnded],
        ),
        // Requests under impersonation, and denied ones, are recorded too.
        (
            signed_in || !row.records.actions().is_empty(),
            &[Code::Unavailable, Code::OutcomeUnknown],
        ),
        (signed_in, &[Code::ImpersonationEnded, Code::ImpersonationExpired]),
        (row.needs.is_some(), &[Code::PermissionDenied]),
        (signed_in && row.impersonated == Impersonated::Blocked, &[Code::ImpersonationBlocked]),
        (row.impersonated == Impersonated::Write, &[Code::ImpersonationReadOnly]),
        (signed_in && mounted.path.contains('{'), &[Code::NotFound]),
        (repeatable, &[Code::IdempotencyInFlight, Code::IdempotencyKeyReused]),
        (
            signed_in
                && matches!(row.records, Records::Always(_))
                && !matches!(mounted.method, HttpMethod::Get),
            &[Code::Conflict],
        ),
        (row.demands.contains(&Demand::IdempotencyKey), &[Code::IdempotencyKeyRequired]),
    ];
    rules
        .into_iter()
        .filter(|(applies, _)| *applies)
        .flat_map(|(_, codes)| codes.iter().copied())
        .collect()
}

/// A response with one of these problems, which share a status, with an example of each.
fn problem(description: &str, codes: &[Code]) -> Value {
    let examples: Map<String, Value> =
        codes.iter().map(|code| (code.name().to_owned(), example(*code))).collect();
    let content =
        json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "examples": examples });
    json!({
        "description": description, "headers": headers::of_problem(codes),
        "content": { "application/problem+json": content },
    })
}

fn example(code: Code) -> Value {
    json!({ "summary": code.title(), "value": example_body(code) })
}

/// Example of a response body with the problem.
pub fn example_body(code: Code) -> Value {
    json!({
        "type": format!("/problems/{}", code.name()), "title": code.title(),
        "status": code.status().as_u16(), "detail": code.remedy(), "code": code.name(),
        "request_id": "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d",
    })
}
