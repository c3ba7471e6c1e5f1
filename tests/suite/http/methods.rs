//! HEAD, OPTIONS and methods that are not allowed.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![
    head_matches_get,
    head_does_not_count_as_a_stream,
    head_of_an_audited_read_records_nothing,
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

/// An audited read with HEAD reads nothing, so it returns neither the length nor the links of the
/// content, and is not recorded. The caller and the parameters are checked as for GET.
async fn head_of_an_audited_read_records_nothing(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let engineer = t.sign_in("eng@postern.example").await;
    let actions = ["audit.exported", "audit.viewed", "search.performed"];
    for (caller, path, media_type) in [
        (&owner, "/v1/orgs/acme/audit-events/export", "application/x-ndjson"),
        (
            &owner,
            "/v1/orgs/acme/audit-events/export?format=csv",
            "text/csv; charset=utf-8; header=present",
        ),
        (
            &engineer,
            "/v1/admin/audit-events/export?format=csv",
            "text/csv; charset=utf-8; header=present",
        ),
        (&engineer, "/v1/admin/audit-events?limit=1", "application/json"),
        (&engineer, "/v1/admin/audit-events/stream", "text/event-stream"),
        (&engineer, "/v1/admin/search?q=acme", "application/json"),
    ] {
        let head = caller.send("HEAD", path, None).await.expect(200);
        assert!(
            head.header("content-type").starts_with(media_type),
            "HEAD {path} has the media type of GET: {:?}",
            head.headers
        );
        assert!(
            !head.has_header("content-length") && !head.has_header("link"),
            "HEAD {path} does not tell what GET would return: {:?}",
            head.headers
        );
        for action in actions {
            assert_eq!(t.recorded(action).await, 0, "HEAD {path} does not record {action}");
        }
        let separator = if path.contains('?') { '&' } else { '?' };
        let invalid = format!("{path}{separator}color=red");
        assert_eq!(caller.send("HEAD", &invalid, None).await.status, 400, "HEAD {invalid}");
    }
    let invalid = "/v1/admin/search?q=a";
    assert_eq!(engineer.send("HEAD", invalid, None).await.status, 400, "HEAD {invalid}");
    let denied = "/v1/admin/audit-events/export";
    assert_eq!(owner.send("HEAD", denied, None).await.status, 403, "HEAD {denied}");
    assert_eq!(t.recorded("permission.denied").await, 1, "a denied HEAD is recorded as a denial");
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
