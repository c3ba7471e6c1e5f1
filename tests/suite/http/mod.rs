//! HTTP behavior shared by all operations. Invalid input returns a 4xx problem that names the
//! field, and changes nothing.

use postern_tests::{App, Response};

mod base_path;
mod caching;
mod client_address;
mod compression;
mod cors;
mod deprecation;
mod headers;
mod idempotency;
mod methods;
mod pagination;
mod paths_and_queries;
mod problems;
mod request_bodies;
mod visible_text;

/// Sends a body as JSON, as the owner of acme.
async fn send_raw(t: &App, method: &str, path: &str, body: impl Into<reqwest::Body>) -> Response {
    let me = t.sign_in("owner@acme.example").await;
    let request = me.request(method, path).header("content-type", "application/json").body(body);
    Response::of(request.send().await).await
}
