//! Cross-origin requests.

use postern_tests::{App, Person, Response, on_both};

on_both![
    listed_origin_is_allowed,
    unlisted_origin_is_not_allowed,
    no_origin_is_allowed_by_default,
    tracing_headers_are_allowed,
    documented_response_headers_are_exposed,
    errors_are_readable_across_origins,
    invalid_preflight_requests_are_problems,
    rejected_preflight_requests_name_the_setting,
    configured_headers_and_local_ports_are_allowed,
];

const LISTED: &str = "https://admin.vendor.example";

async fn listed_origin_is_allowed(t: &App) {
    let server = start_with_listed_origin(t).await;
    let owner = server.sign_in("owner@acme.example").await;
    let preflight = preflight(&owner, LISTED).await;
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-origin").as_str()),
        (200, LISTED),
        "the preflight request succeeds"
    );
    assert!(preflight.header("access-control-allow-methods").contains("PATCH"), "PATCH is allowed");
    assert!(
        preflight.header("access-control-allow-headers").to_lowercase().contains("if-match"),
        "the If-Match header is allowed"
    );
    let read = read(&owner, LISTED).await;
    assert_eq!(read.header("access-control-allow-origin"), LISTED, "the origin is allowed");
    assert!(
        read.header("access-control-expose-headers").to_lowercase().contains("etag"),
        "the ETag header is exposed"
    );
    assert!(
        !read.has_header("access-control-allow-credentials"),
        "credentials are not allowed: there are no cookies"
    );
    server.finish().await;
}

async fn unlisted_origin_is_not_allowed(t: &App) {
    const UNLISTED: &str = "https://evil.example";
    let server = start_with_listed_origin(t).await;
    let owner = server.sign_in("owner@acme.example").await;
    assert!(
        !read(&owner, UNLISTED).await.has_header("access-control-allow-origin"),
        "an unlisted origin is not allowed"
    );
    assert!(
        !preflight(&owner, UNLISTED).await.has_header("access-control-allow-origin"),
        "a preflight request of an unlisted origin is not allowed"
    );
    server.finish().await;
}

async fn no_origin_is_allowed_by_default(t: &App) {
    for origin in [LISTED, "http://localhost:5173", "http://127.0.0.1:5173", "null"] {
        let response = t.anonymous().request("GET", "/healthz").header("origin", origin);
        assert!(
            !Response::of(response.send().await).await.has_header("access-control-allow-origin"),
            "{origin} is not allowed by default"
        );
    }
}

/// Browser agents of Sentry and OpenTelemetry add headers to each request.
async fn tracing_headers_are_allowed(t: &App) {
    let server = start_with_listed_origin(t).await;
    let owner = server.sign_in("owner@acme.example").await;
    for name in ["baggage", "sentry-trace", "traceparent", "tracestate", "x-request-id"] {
        let preflight = preflight_with(&owner, LISTED, &format!("authorization, {name}")).await;
        let allowed = preflight.header("access-control-allow-headers").to_lowercase();
        assert!(
            preflight.status == 200 && allowed.split(", ").any(|header| header == name),
            "{name} is allowed: {}",
            preflight.body
        );
    }
    let cached = preflight(&owner, LISTED).await.header("access-control-max-age");
    assert_eq!(cached, "7200", "browsers cache the result for as long as Chromium does");
    server.finish().await;
}

async fn documented_response_headers_are_exposed(t: &App) {
    let server = start_with_listed_origin(t).await;
    let owner = server.sign_in("owner@acme.example").await;
    let exposed = read(&owner, LISTED).await.header("access-control-expose-headers");
    let exposed: Vec<String> = exposed.split(", ").map(str::to_lowercase).collect();
    let contract: serde_json::Value =
        serde_json::from_str(&postern_api::openapi()).expect("the document is valid JSON");
    let documented = contract["components"]["headers"].as_object().expect("headers is an object");
    let documented = documented.keys().map(String::as_str);
    for name in documented.chain(["Allow", "Date", "ETag", "RateLimit", "RateLimit-Policy"]) {
        assert!(exposed.contains(&name.to_lowercase()), "{name} is exposed: {exposed:?}");
    }
    server.finish().await;
}

/// Without CORS headers, a page sees a network error instead of the problem.
async fn errors_are_readable_across_origins(t: &App) {
    let server = start_with_listed_origin(t).await;
    let (anyone, owner) = (server.anonymous(), server.sign_in("owner@acme.example").await);
    let (settings, large) = ("/v1/orgs/acme/settings", " ".repeat(262_145));
    server.state.stop();
    for (caller, method, path, status, header, body) in [
        (&anyone, "GET", "/v1/me", 401, ("accept", "*/*"), ""),
        (&owner, "GET", "/v1/me?cursor=1", 400, ("accept", "*/*"), ""),
        (&owner, "GET", "/v1/admin/staff", 403, ("accept", "*/*"), ""),
        (&owner, "GET", "/v1/orgs/globex", 404, ("accept", "*/*"), ""),
        (&owner, "GET", "/nowhere", 404, ("accept", "*/*"), ""),
        (&owner, "DELETE", "/v1/me", 405, ("accept", "*/*"), ""),
        (&owner, "PATCH", settings, 400, ("content-type", "application/json"), "{"),
        (&owner, "PATCH", settings, 412, ("if-match", "\"0\""), "{}"),
        (&owner, "PATCH", settings, 413, ("content-type", "application/json"), large.as_str()),
        (&owner, "PATCH", settings, 415, ("content-type", "text/plain"), "{}"),
        (&owner, "PATCH", settings, 422, ("content-type", "application/json"), "[]"),
        (&anyone, "GET", "/readyz", 503, ("accept", "*/*"), ""),
    ] {
        let mut request = caller.request(method, path).header("origin", LISTED);
        if header.0 != "content-type" && !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.header(header.0, header.1).body(body.to_owned());
        let response = Response::of(request.send().await).await.expect(status);
        assert_eq!(
            response.header("access-control-allow-origin"),
            LISTED,
            "{method} {path}: the page can read the {status}"
        );
        assert!(
            response.header("access-control-expose-headers").contains("x-request-id")
                && response.header("vary").to_lowercase().contains("origin"),
            "{method} {path}: the {status} exposes its headers, and is cached by origin"
        );
    }
    server.finish().await;
}

/// Errors of the CORS middleware.
async fn invalid_preflight_requests_are_problems(t: &App) {
    let server = start_with_listed_origin(t).await;
    for headers in [
        vec![("origin", "https://evil.example"), ("access-control-request-method", "PATCH")],
        vec![("origin", LISTED), ("access-control-request-method", "BREW")],
        vec![("access-control-request-method", "PATCH")],
    ] {
        let request = server.anonymous().request("OPTIONS", "/v1/me");
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let rejected = Response::of(request.send().await).await;
        assert!(
            !rejected.header("x-request-id").is_empty()
                && rejected.json["detail"].as_str().is_some_and(|detail| detail.len() > 10),
            "the problem has a request id and a detail: {}",
            rejected.body
        );
        rejected.problem(400, "invalid_header");
    }
    server.anonymous().get("/docs/other").await.problem(404, "not_found");
    server.finish().await;
}

/// Browsers do not show the problem: the operator finds the cause in the server's log, which has
/// the same text (`demo_allows_pages_on_localhost`).
async fn rejected_preflight_requests_name_the_setting(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let rejected = preflight(&owner, LISTED).await.problem(400, "invalid_header");
    assert_eq!(
        rejected.text("/detail"),
        format!("the origin {LISTED} is not allowed: add it to server.cors_origins")
    );
    let server = start_with_listed_origin(t).await;
    let owner = server.sign_in("owner@acme.example").await;
    let headers = "authorization, x-vendor-session, X-Vendor-Page";
    let rejected = preflight_with(&owner, LISTED, headers).await.problem(400, "invalid_header");
    assert_eq!(
        rejected.text("/detail"),
        "the request headers x-vendor-session, x-vendor-page are not allowed: \
         add them to server.cors_headers"
    );
    server.finish().await;
}

async fn configured_headers_and_local_ports_are_allowed(t: &App) {
    let server = App::start(t.backend, |config| {
        config.server.cors_origins = vec!["http://localhost:*".to_owned()];
        config.server.cors_headers = vec!["X-Vendor-Session".to_owned()];
    })
    .await;
    let owner = server.sign_in("owner@acme.example").await;
    let headers = "authorization, x-vendor-session";
    for (origin, status) in [("http://localhost:5173", 200), ("http://127.0.0.1:5173", 400)] {
        let preflight = preflight_with(&owner, origin, headers).await;
        assert_eq!(preflight.status, status, "{origin}: {}", preflight.body);
    }
    server.finish().await;
}

async fn start_with_listed_origin(t: &App) -> App {
    App::start(t.backend, |config| config.server.cors_origins = vec![LISTED.to_owned()]).await
}

async fn read(caller: &Person<'_>, origin: &str) -> Response {
    let request = caller.request("GET", "/v1/orgs/acme/settings").header("origin", origin);
    Response::of(request.send().await).await.expect(200)
}

async fn preflight(caller: &Person<'_>, origin: &str) -> Response {
    preflight_with(caller, origin, "authorization,if-match").await
}

async fn preflight_with(caller: &Person<'_>, origin: &str, headers: &str) -> Response {
    let request = caller
        .request("OPTIONS", "/v1/orgs/acme/settings")
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", headers);
    Response::of(request.send().await).await
}
