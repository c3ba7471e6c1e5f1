//! `start_impersonation`: allowed targets, required fields.

use postern_tests::{App, on_both};
use serde_json::Value;

use super::start_body;

on_both![
    staff_and_suspended_users_cannot_be_impersonated,
    missing_targets_are_named,
    starting_requires_a_tier,
    reason_and_ticket_are_required,
];

async fn staff_and_suspended_users_cannot_be_impersonated(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let start = |body: Value| support.post("/v1/admin/impersonations", body);
    // The demo has no staff in orgs: add all staff to acme.
    t.run_sql(
        "INSERT INTO membership (org_id, id, user_id, role, created_at) SELECT o.id, u.id, u.id, \
         'viewer', u.created_at FROM organization o, \"user\" u WHERE o.slug = 'acme' AND u.email \
         LIKE '%@postern.example'",
    )
    .await;
    let (support_id, engineer_id) =
        (t.user_id("support@postern.example").await, t.user_id("eng@postern.example").await);
    start(start_body(&support_id, "acme")).await.problem(403, "cannot_impersonate");
    start(start_body(&engineer_id, "acme")).await.problem(403, "cannot_impersonate");
    let member = t.user_id("member@acme.example").await;
    t.run_sql("UPDATE \"user\" SET suspended_at = created_at WHERE email = 'member@acme.example'")
        .await;
    start(start_body(&member, "acme")).await.problem(403, "cannot_impersonate");
    assert_eq!(t.recorded("impersonation.started").await, 0, "no impersonation is started");
    assert_eq!(t.recorded("permission.denied").await, 3, "the three denied starts are recorded");
}

async fn missing_targets_are_named(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let ana = t.user_id("owner@acme.example").await;
    let unknown = "user_01k7fgpr00e00800000000000g";
    t.run_sql("UPDATE organization SET deletion_requested_at = created_at WHERE slug = 'initech'")
        .await;
    for (target, org, pointer, detail) in [
        (unknown, "acme", "/target_user_id", "user_01k7fgpr00e00800000000000g does not exist"),
        (&*ana, "nowhere", "/org", "the org nowhere does not exist"),
        (&*ana, "initech", "/org", "deletion of the org initech was requested"),
        (&*ana, "globex", "/target_user_id", "owner@acme.example is not a member of globex"),
    ] {
        let response = support
            .post("/v1/admin/impersonations", start_body(target, org))
            .await
            .problem(404, "not_found");
        assert_eq!(response.text("/errors/0/pointer"), pointer, "{target} in {org}: the field");
        for at in ["/detail", "/errors/0/detail"] {
            let text = response.text(at);
            assert!(text.contains(detail), "{target} in {org}: {at} says what is missing: {text}");
        }
    }
    assert_eq!(t.recorded("impersonation.started").await, 0, "no impersonation is started");
    assert_eq!(t.recorded("permission.denied").await, 0, "an unknown target is no denial");
}

async fn starting_requires_a_tier(t: &App) {
    let member = t.user_id("member@acme.example").await;
    t.sign_in("owner@acme.example")
        .await
        .post("/v1/admin/impersonations", start_body(&member, "acme"))
        .await
        .problem(403, "permission_denied");
    assert_eq!(t.recorded("permission.denied").await, 1, "the denial is recorded");
}

async fn reason_and_ticket_are_required(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let ana = t.user_id("owner@acme.example").await;
    let ten_thousand = "x".repeat(10_000);
    for (field, invalid) in [
        ("reason", "too short"),
        ("reason", "                    "),
        ("reason", ten_thousand.as_str()),
        ("reason", "with a nul \u{0} in the middle"),
        ("ticket_ref", ""),
        ("ticket_ref", "SUP 1"),
        ("ticket_ref", ten_thousand.as_str()),
        ("mode", "forever"),
        ("target_user_id", "user_1"),
    ] {
        let mut body = start_body(&ana, "acme");
        body[field] = invalid.into();
        let response =
            support.post("/v1/admin/impersonations", body).await.problem(422, "invalid_body");
        assert_eq!(
            response.text("/errors/0/pointer"),
            format!("/{field}"),
            "{field} is rejected: {invalid}"
        );
    }
    for field in ["reason", "ticket_ref", "org", "target_user_id"] {
        let mut body = start_body(&ana, "acme");
        body.as_object_mut().expect("the JSON is an object").remove(field);
        support.post("/v1/admin/impersonations", body).await.problem(422, "invalid_body");
    }
}
