//! Number of SQL statements per request.

use postern_tests::{App, Person, on_both};
use serde_json::{Value, json};

on_both![
    reads_send_few_statements,
    statements_do_not_depend_on_the_page_size,
    writes_send_few_statements,
];

/// Sends a request and returns the number of its statements.
async fn count_statements(
    t: &App,
    caller: &Person<'_>,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> u64 {
    let before = t.state.store.statements();
    let response = caller.send(method, path, body).await;
    assert!(response.status < 300, "{method} {path} succeeds: {}", response.body);
    t.state.store.statements() - before
}

async fn reads_send_few_statements(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    for path in [
        "/v1/orgs/acme",
        "/v1/orgs/acme/members",
        "/v1/orgs/acme/members?limit=1",
        "/v1/orgs/acme/members?q=acme&role=viewer",
        "/v1/orgs/acme/settings",
        "/v1/orgs/acme/features",
        "/v1/orgs/acme/dashboard",
        "/v1/orgs/acme/audit-events",
        "/v1/orgs/acme/impersonations",
        "/v1/me",
        "/v1/me/sessions",
        "/v1/orgs",
        "/v1/me/permissions?org=acme",
    ] {
        let statements = count_statements(t, &me, "GET", path, None).await;
        assert!(statements <= 5, "GET {path} sends at most 5 statements, not {statements}");
    }
}

async fn statements_do_not_depend_on_the_page_size(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let full = count_statements(t, &me, "GET", "/v1/orgs/acme/members?limit=100", None).await;
    let single = count_statements(t, &me, "GET", "/v1/orgs/acme/members?limit=1", None).await;
    assert_eq!(full, single, "the number of statements does not depend on the page size");
}

async fn writes_send_few_statements(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let member =
        format!("/v1/orgs/acme/members/{}", t.member_id("acme", "viewer@acme.example").await);
    for (method, path, body) in [
        ("PATCH", &*member, Some(json!({ "role": "member" }))),
        ("DELETE", &*member, None),
        ("PATCH", "/v1/orgs/acme", Some(json!({ "name": "Other" }))),
        ("PATCH", "/v1/orgs/acme/settings", Some(json!({ "support_email": null }))),
        ("POST", "/v1/orgs", Some(json!({ "name": "New", "slug": "new-org" }))),
    ] {
        let statements = count_statements(t, &me, method, path, body).await;
        assert!(statements <= 9, "{method} {path} sends at most 9 statements, not {statements}");
    }
}
