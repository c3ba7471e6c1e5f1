//! Cross-origin requests (CORS): the web pages that may call the API from a browser, the request
//! headers that they may send, and the response headers that they can read.

use actix_cors::{Cors, CorsError};
use actix_web::{
    HttpRequest,
    http::header::{self, HeaderValue},
};

use crate::config::{LOOPBACK_ORIGINS, Server};

/// Request headers of the API, of W3C trace context, and of Sentry's browser agent.
const REQUEST_HEADERS: [&str; 12] = [
    "accept",
    "authorization",
    "baggage",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "x-request-id",
];

/// Response headers that pages can read besides those of the CORS safelist. `RateLimit` headers
/// are not sent yet.
const RESPONSE_HEADERS: [&str; 14] = [
    "allow",
    "content-disposition",
    "date",
    "deprecation",
    "etag",
    "idempotency-replayed",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "sunset",
    "www-authenticate",
    "x-request-id",
];

/// Time in seconds for which browsers cache a preflight response: Chromium's maximum.
const MAX_AGE: usize = 7200;

/// Middleware that allows the configured origins, without credentials: there are no cookies.
pub fn cors(config: &Server) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(request_headers(config))
        .expose_headers(RESPONSE_HEADERS)
        .max_age(MAX_AGE);
    config.cors_origins.iter().fold(cors, |cors, origin| {
        match LOOPBACK_ORIGINS.into_iter().find(|loopback| loopback == origin) {
            Some(loopback) => {
                cors.allowed_origin_fn(move |origin, _| has_loopback_origin(origin, loopback))
            }
            None => cors.allowed_origin(origin),
        }
    })
}

fn request_headers(config: &Server) -> impl Iterator<Item = &str> {
    REQUEST_HEADERS.into_iter().chain(config.cors_headers.iter().map(String::as_str))
}

/// Whether an origin is that of [`LOOPBACK_ORIGINS`], with any port or none.
fn has_loopback_origin(origin: &HeaderValue, loopback: &str) -> bool {
    let host = loopback.strip_suffix(":*").unwrap_or(loopback);
    origin.to_str().is_ok_and(|origin| {
        origin.strip_prefix(host).is_some_and(|port| {
            port.is_empty()
                || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

/// Reason for which [`cors`] rejected a preflight request, with the setting that allows it.
/// Browsers show only that the request failed.
pub fn rejection(request: &HttpRequest, config: &Server, error: &CorsError) -> String {
    let text = |name| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    match error {
        CorsError::OriginNotAllowed => {
            let origin: String = text(header::ORIGIN).chars().take(200).collect();
            format!("the origin {origin} is not allowed: add it to server.cors_origins")
        }
        CorsError::HeadersNotAllowed => {
            let requested = text(header::ACCESS_CONTROL_REQUEST_HEADERS).to_ascii_lowercase();
            let is_allowed = |name: &str| {
                request_headers(config).any(|allowed| allowed.eq_ignore_ascii_case(name))
            };
            let names = requested.split(',').map(str::trim).filter(|name| !is_allowed(name));
            let names: String = names.collect::<Vec<_>>().join(", ").chars().take(200).collect();
            format!("the request headers {names} are not allowed: add them to server.cors_headers")
        }
        other => other.to_string(),
    }
}
