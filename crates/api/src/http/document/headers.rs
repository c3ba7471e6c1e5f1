//! The headers of answers, each described once.

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::http::{code::Code, routes::Mounted};

/// All that are referred to: name, what it is, an example, how long it can be, whether it is always there.
const HEADERS: [(&str, &str, &str, u64, bool); 9] = [
    (
        "X-Request-Id",
        "Leads to this request in the server's log: the caller's own, if it sent one.",
        "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d",
        64,
        true,
    ),
    (
        "WWW-Authenticate",
        "How to authenticate (RFC 6750).",
        "Bearer realm=\"postern\", error=\"invalid_token\"",
        200,
        true,
    ),
    (
        "Retry-After",
        "In how many seconds it is worth another try: with problems that pass by themselves.",
        "2",
        6,
        false,
    ),
    (
        "Link",
        "The pages beside this one, or what is said of an operation that is to go (RFC 8288).",
        "</v1/orgs?cursor=eyJ2IjoxfQ>; rel=\"next\"",
        // Two addresses with all that a filter may say, each byte escaped.
        16_384,
        false,
    ),
    (
        "Location",
        "Where the new thing is: an org is read there, an impersonation ended.",
        "/v1/orgs/umbrella",
        100,
        true,
    ),
    (
        "Idempotency-Replayed",
        "`true` where this is the answer to an earlier request with the same key.",
        "true",
        4,
        false,
    ),
    (
        "Content-Disposition",
        "What to call the file (RFC 6266).",
        "attachment; filename=\"acme-audit.csv\"",
        100,
        false,
    ),
    (
        "Deprecation",
        "Since when nobody should begin to use the operation (RFC 9745).",
        "@1796083200",
        20,
        true,
    ),
    (
        "Sunset",
        "From when on the operation may be gone (RFC 8594).",
        "Tue, 01 Jun 2027 00:00:00 GMT",
        29,
        true,
    ),
];

/// The components that the others refer to.
pub fn shared() -> Value {
    let headers: Map<String, Value> = HEADERS
        .into_iter()
        .map(|(name, description, example, longest, always)| {
            let schema = json!({ "type": "string", "maxLength": longest, "examples": [example] });
            (
                name.to_owned(),
                json!({ "description": description, "required": always, "schema": schema }),
            )
        })
        .collect();
    headers.into()
}

/// What these problems, which have one status, say beside their body.
pub fn of_problem(codes: &[Code]) -> Value {
    let unauthorized = codes
        .iter()
        .any(|code| code.status() == StatusCode::UNAUTHORIZED)
        .then_some("WWW-Authenticate");
    let passing = codes.iter().any(|code| code.is_passing()).then_some("Retry-After");
    let names = ["X-Request-Id"].into_iter().chain(unauthorized).chain(passing);
    names.map(|name| (name.to_owned(), reference(name))).collect::<Map<_, _>>().into()
}

/// Adds what the good answers of an operation say beside their body, and what all of one say that goes.
pub fn add(operation: &mut Value, mounted: &Mounted) {
    let takes = |name: &str| {
        operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == name))
    };
    let (paged, repeatable) = (takes("cursor"), takes("Idempotency-Key"));
    for (status, response) in operation["responses"].as_object_mut().expect("there are answers") {
        let mut names = Vec::new();
        if status.starts_with('2') {
            let file = response.pointer("/content/text~1csv").is_some();
            let said = [
                ("Link", paged),
                ("Location", status == "201"),
                ("Idempotency-Replayed", repeatable),
                ("Content-Disposition", file),
            ];
            names.push("X-Request-Id");
            names.extend(said.into_iter().filter_map(|(name, is_said)| is_said.then_some(name)));
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
