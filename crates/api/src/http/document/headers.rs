//! Response headers, each described once.

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::http::{code::Code, routes::Mounted};

/// Shared headers: name, description, example, maximum length, whether a response always has it.
const HEADERS: [(&str, &str, &str, u64, bool); 9] = [
    (
        "X-Request-Id",
        "ID of the request in the server's log; the client's own if it sent a valid one.",
        "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d",
        64,
        true,
    ),
    (
        "WWW-Authenticate",
        "Authentication challenge (RFC 6750).",
        "Bearer realm=\"postern\", error=\"invalid_token\"",
        200,
        true,
    ),
    (
        "Retry-After",
        "Number of seconds to wait before the next attempt, for temporary problems.",
        "2",
        6,
        false,
    ),
    (
        "Link",
        "Adjacent pages, or documentation of a deprecated operation (RFC 8288).",
        "</v1/orgs?cursor=eyJ2IjoxfQ>; rel=\"next\"",
        // Two URLs with filters of maximum length, each byte escaped.
        16_384,
        false,
    ),
    (
        "Location",
        "URL of the new resource: GET an org there, DELETE an impersonation.",
        "/v1/orgs/umbrella",
        100,
        true,
    ),
    (
        "Idempotency-Replayed",
        "`true` if this is the stored response of an earlier request with the same key.",
        "true",
        4,
        false,
    ),
    (
        "Content-Disposition",
        "Name of the file (RFC 6266).",
        "attachment; filename=\"acme-audit.csv\"",
        100,
        false,
    ),
    (
        "Deprecation",
        "Time from which the operation is deprecated (RFC 9745).",
        "@1796083200",
        20,
        true,
    ),
    (
        "Sunset",
        "Time from which the operation may be removed (RFC 8594).",
        "Tue, 01 Jun 2027 00:00:00 GMT",
        29,
        true,
    ),
];

/// Header components that responses refer to.
pub fn shared() -> Value {
    let headers: Map<String, Value> = HEADERS
        .into_iter()
        .map(|(name, description, example, max_length, always)| {
            let schema =
                json!({ "type": "string", "maxLength": max_length, "examples": [example] });
            (
                name.to_owned(),
                json!({ "description": description, "required": always, "schema": schema }),
            )
        })
        .collect();
    headers.into()
}

/// Headers of a response with one of these problems, which share a status.
pub fn of_problem(codes: &[Code]) -> Value {
    let unauthorized = codes
        .iter()
        .any(|code| code.status() == StatusCode::UNAUTHORIZED)
        .then_some("WWW-Authenticate");
    let passing = codes.iter().any(|code| code.is_passing()).then_some("Retry-After");
    let names = ["X-Request-Id"].into_iter().chain(unauthorized).chain(passing);
    names.map(|name| (name.to_owned(), reference(name))).collect::<Map<_, _>>().into()
}

/// Adds the headers of an operation's successful responses, and to all responses those of a
/// deprecated operation.
pub fn add(operation: &mut Value, mounted: &Mounted) {
    let takes = |name: &str| {
        operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|parameter| parameter["name"] == name))
    };
    let (paged, repeatable) = (takes("cursor"), takes("Idempotency-Key"));
    for (status, response) in
        operation["responses"].as_object_mut().expect("the operation has responses")
    {
        let mut names = Vec::new();
        if status.starts_with('2') {
            let file = response.pointer("/content/text~1csv").is_some();
            let optional = [
                ("Link", paged),
                ("Location", status == "201"),
                ("Idempotency-Replayed", repeatable),
                ("Content-Disposition", file),
            ];
            names.push("X-Request-Id");
            names.extend(optional.into_iter().filter_map(|(name, has)| has.then_some(name)));
        }
        if mounted.row.deprecated.is_some() {
            names.extend(["Deprecation", "Sunset", "Link"]);
        }
        for name in names {
            response["headers"][name] = reference(name);
        }
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}
