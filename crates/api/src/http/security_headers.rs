//! Default headers of each response (OWASP REST Security Cheat Sheet): no caching, no framing, no
//! content sniffing. Headers that a handler sets take precedence.

use actix_web::{http::header, middleware::DefaultHeaders};

/// Middleware that adds the headers. `https`: whether clients reach the server over HTTPS.
pub fn security_headers(https: bool) -> DefaultHeaders {
    let headers = DefaultHeaders::new()
        .add((header::CACHE_CONTROL, "no-store"))
        .add((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::X_FRAME_OPTIONS, "DENY"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add(("cross-origin-resource-policy", "same-origin"));
    if https {
        headers.add((header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"))
    } else {
        headers
    }
}
