//! Response headers, each described once.

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::openapi::HttpMethod;

use crate::http::{code::Code, routes::Mounted};

/// A response header that several operations share.
struct Header {
    name: &'static str,
    description: &'static str,
    example: &'static str,
    max_length: u64,
    /// Whether a response that refers to it always has it.
    always: bool,
}

const X_REQUEST_ID: Header = Header {
    name: "X-Request-Id",
    description: "ID of the request in the server's log; the client's own if it sent a valid one.",
    example: "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d",
    max_length: 64,
    always: true,
};

const WWW_AUTHENTICATE: Header = Header {
    name: "WWW-Authenticate",
    description: "Authentication challenge (RFC 6750).",
    example: "Bearer realm=\"postern\", error=\"invalid_token\"",
    max_length: 200,
    always: true,
};

const RETRY_AFTER: Header = Header {
    name: "Retry-After",
    description: "Number of seconds to wait before the next attempt, for temporary problems.",
    example: "2",
    max_length: 6,
    always: false,
};

const LINK: Header = Header {
    name: "Link",
    description: "Adjacent pages, or documentation of a deprecated operation (RFC 8288).",
    example: "</v1/orgs?cursor=eyJ2IjoxfQ>; rel=\"next\"",
    // Two URLs with filters of maximum length, each byte escaped.
    max_length: 16_384,
    always: false,
};

const LOCATION: Header = Header {
    name: "Location",
    description: "URL of the new resource. Read an org there with GET; end an impersonation there \
                  with DELETE.",
    example: "/v1/orgs/umbrella",
    max_length: 100,
    always: true,
};

const IDEMPOTENCY_REPLAYED: Header = Header {
    name: "Idempotency-Replayed",
    description: "`true` if this is the stored response of an earlier request with the same key.",
    example: "true",
    max_length: 4,
    always: false,
};

const CONTENT_DISPOSITION: Header = Header {
    name: "Content-Disposition",
    description: "Name of the file (RFC 6266).",
    example: "attachment; filename=\"acme-audit.csv\"",
    max_length: 100,
    always: false,
};

const DEPRECATION: Header = Header {
    name: "Deprecation",
    description: "Time from which the operation is deprecated (RFC 9745).",
    example: "@1796083200",
    max_length: 20,
    always: true,
};

const SUNSET: Header = Header {
    name: "Sunset",
    description: "Time from which the operation may be removed (RFC 8594).",
    example: "Tue, 01 Jun 2027 00:00:00 GMT",
    max_length: 29,
    always: true,
};

const HEADERS: [Header; 9] = [
    X_REQUEST_ID,
    WWW_AUTHENTICATE,
    RETRY_AFTER,
    LINK,
    LOCATION,
    IDEMPOTENCY_REPLAYED,
    CONTENT_DISPOSITION,
    DEPRECATION,
    SUNSET,
];

/// Header components that responses refer to.
pub fn shared() -> Value {
    let headers: Map<String, Value> = HEADERS
        .into_iter()
        .map(|Header { name, description, example, max_length, always }| {
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
        .then_some(WWW_AUTHENTICATE);
    let passing = codes.iter().any(|code| code.is_temporary()).then_some(RETRY_AFTER);
    let headers = [X_REQUEST_ID].into_iter().chain(unauthorized).chain(passing);
    headers.map(|header| (header.name.to_owned(), reference(&header))).collect::<Map<_, _>>().into()
}

/// Adds the headers of an operation's successful responses, and to all responses those of a
/// deprecated operation.
pub fn add(operation: &mut Value, mounted: &Mounted) {
    let repeatable = matches!(mounted.method, HttpMethod::Post) && mounted.row.is_repeatable();
    for (status, response) in
        operation["responses"].as_object_mut().expect("the operation has responses")
    {
        let mut headers = Vec::new();
        if status.starts_with('2') {
            let file = response.pointer("/content/text~1csv").is_some();
            let optional = [
                (LINK, mounted.pages),
                (LOCATION, status == "201"),
                (IDEMPOTENCY_REPLAYED, repeatable),
                (CONTENT_DISPOSITION, file),
            ];
            headers.push(X_REQUEST_ID);
            headers.extend(optional.into_iter().filter_map(|(header, has)| has.then_some(header)));
        } else if status == "304" {
            headers.push(X_REQUEST_ID);
        }
        if mounted.row.deprecated.is_some() {
            headers.extend([DEPRECATION, SUNSET, LINK]);
        }
        for header in headers {
            response["headers"][header.name] = reference(&header);
        }
    }
}

fn reference(header: &Header) -> Value {
    json!({ "$ref": format!("#/components/headers/{}", header.name) })
}
