//! Cross-origin requests.

use postern_tests::{App, Person, Response, on_both};

on_both![
    listed_origin_is_allowed,
    unlisted_origin_is_not_allowed,
    no_origin_is_allowed_by_default,
    invalid_preflight_requests_are_problems,
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
    let response = t.anonymous().request("GET", "/healthz").header("origin", LISTED).send().await;
    assert!(
        !Response::of(response).await.has_header("access-control-allow-origin"),
        "no origin is allowed by default"
    );
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

async fn start_with_listed_origin(t: &App) -> App {
    App::start(t.backend, |config| config.server.cors_origins = vec![LISTED.to_owned()]).await
}

async fn read(caller: &Person<'_>, origin: &str) -> Response {
    let request = caller.request("GET", "/v1/orgs/acme/settings").header("origin", origin);
    Response::of(request.send().await).await.expect(200)
}

async fn preflight(caller: &Person<'_>, origin: &str) -> Response {
    let request = caller
        .request("OPTIONS", "/v1/orgs/acme/settings")
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization,if-match");
    Response::of(request.send().await).await
}
