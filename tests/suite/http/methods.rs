//! HEAD, OPTIONS and methods that are not allowed.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![
    head_matches_get,
    head_does_not_count_as_a_stream,
    options_lists_allowed_methods,
    other_methods_are_not_allowed,
];

async fn head_matches_get(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for path in [
        "/healthz",
        "/v1/me",
        "/v1/orgs/acme/members",
        "/openapi.json",
        "/v1/orgs/nowhere",
        "/nowhere",
    ] {
        let (get, head) = (owner.get(path).await, owner.send("HEAD", path, None).await);
        assert_eq!(
            (head.status, head.body.as_str()),
            (get.status, ""),
            "HEAD {path} has the status of GET and no body"
        );
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "HEAD {path} has the content type of GET"
        );
    }
    assert_eq!(
        owner.send("HEAD", "/v1/auth/login", None).await.status,
        405,
        "HEAD is not allowed on a POST operation"
    );
    assert_eq!(
        t.anonymous().send("HEAD", "/v1/me", None).await.status,
        401,
        "HEAD requires a token as GET does"
    );
}

/// The concurrency limit is 8 streams per user.
async fn head_does_not_count_as_a_stream(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for _ in 0..9 {
        assert_eq!(
            owner.send("HEAD", "/v1/orgs/acme/audit-events/stream", None).await.status,
            200,
            "HEAD on a stream succeeds"
        );
        owner.get("/healthz").await.expect(200);
    }
}

async fn options_lists_allowed_methods(t: &App) {
    for (path, allow) in [
        ("/v1/me", "GET, HEAD, OPTIONS, PATCH"),
        ("/v1/auth/login", "OPTIONS, POST"),
        ("/v1/admin/staff/user_01k7fgpr00e00800000000000g", "OPTIONS, PUT"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ] {
        let response = t.anonymous().send("OPTIONS", path, None).await.expect(204);
        assert_eq!(response.header("allow"), allow, "OPTIONS {path} lists the methods");
    }
    t.anonymous().send("OPTIONS", "/nowhere", None).await.problem(404, "not_found");
}

async fn other_methods_are_not_allowed(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    for (method, path, allow) in [
        ("PUT", "/v1/me", "GET, HEAD, OPTIONS, PATCH"),
        ("DELETE", "/v1/orgs", "GET, HEAD, OPTIONS, POST"),
        ("PATCH", "/healthz", "GET, HEAD, OPTIONS"),
        ("POST", "/openapi.json", "GET, HEAD, OPTIONS"),
    ] {
        let response =
            me.send(method, path, Some(json!({}))).await.problem(405, "method_not_allowed");
        assert_eq!(response.header("allow"), allow, "{method} {path}: Allow lists the methods");
    }
}
