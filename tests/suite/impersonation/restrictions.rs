//! Operations and orgs that an impersonation cannot use.

use postern_tests::{App, Response, on_both};
use serde_json::json;

on_both![
    read_only_mode_rejects_writes,
    sensitive_operations_are_blocked,
    impersonation_is_limited_to_one_org,
];

async fn read_only_mode_rejects_writes(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, _) = t.impersonate(&support, "owner@acme.example", "acme", "read_only").await;
    ana.get("/v1/orgs/acme/members").await.expect(200);
    ana.patch("/v1/orgs/acme", json!({ "name": "Other" }))
        .await
        .problem(403, "impersonation_read_only");
    ana.patch("/v1/me", json!({ "name": "Other" })).await.problem(403, "impersonation_read_only");
    assert_eq!(t.recorded("org.updated").await, 0, "nothing is changed");
    let denied = t.events("action=permission.denied").await;
    assert_eq!(denied.len(), 2, "both writes are recorded as denied");
    assert!(
        denied.iter().all(|event| event["on_behalf_of"]["email"] == "owner@acme.example"
            && event["org"]["slug"] == "acme"),
        "the denials name the target and the org: {denied:?}"
    );
}

async fn sensitive_operations_are_blocked(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let blocked = |response: Response| response.problem(403, "impersonation_blocked");
    blocked(
        ana.post("/v1/me/password", json!({ "current_password": "x", "new_password": "y" })).await,
    );
    blocked(ana.post("/v1/auth/logout", json!({})).await);
    blocked(ana.post("/v1/orgs/acme/deletion", json!({ "confirm_slug": "acme" })).await);
    blocked(ana.post("/v1/orgs", json!({ "name": "Mine", "slug": "mine" })).await);
    blocked(ana.get("/v1/admin/search?q=acme").await);
    blocked(ana.post("/v1/admin/impersonations", json!({})).await);
    blocked(ana.get("/v1/admin/staff").await);
    let member =
        format!("/v1/orgs/acme/members/{}", t.member_id("acme", "member@acme.example").await);
    blocked(ana.patch(&member, json!({ "role": "admin" })).await);
    blocked(ana.patch(&member, json!({ "role": "owner" })).await);
    ana.patch(&member, json!({ "role": "viewer" })).await.expect(200);
    assert_eq!(t.recorded("permission.denied").await, 9, "each blocked request is recorded");
    t.sign_in("owner@acme.example").await.get("/v1/orgs/acme").await.expect(200);
}

async fn impersonation_is_limited_to_one_org(t: &App) {
    // Ana is a member of two orgs; the impersonation is for one of them.
    let ana = t.sign_in("owner@acme.example").await;
    ana.post("/v1/orgs", json!({ "name": "Second", "slug": "second" })).await.expect(201);
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let (second, random) =
        (target.get("/v1/orgs/second").await, target.get("/v1/orgs/nowhere").await);
    assert_eq!(
        second.problem(404, "not_found").without_request_id(),
        random.problem(404, "not_found").without_request_id(),
        "the response is the same as for a nonexistent org"
    );
    target.patch("/v1/orgs/second", json!({ "name": "Other" })).await.problem(404, "not_found");
    let orgs = target.get("/v1/orgs").await.expect(200).json;
    assert_eq!(
        orgs["data"].as_array().map(Vec::len),
        Some(1),
        "only the org of the impersonation is listed"
    );
    assert_eq!(
        target.get("/v1/me").await.expect(200).json["memberships"].as_array().map(Vec::len),
        Some(1),
        "only the membership of that org is returned"
    );
    target.get("/v1/me/permissions?org=second").await.problem(404, "not_found");
    target.get("/v1/me/permissions?org=acme").await.expect(200);
    let log = ana.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200).body;
    assert!(!log.contains("second"), "acme's log does not name the other org");
    assert_eq!(
        ana.get("/v1/orgs/second/audit-events").await.expect(200).json["data"]
            .as_array()
            .map(Vec::len),
        Some(1),
        "the other org's log has only its creation"
    );
}
