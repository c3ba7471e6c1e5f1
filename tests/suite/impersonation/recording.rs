//! Audit events of impersonated requests: both identities, invalid requests.

use postern_tests::{App, Response, on_both};
use serde_json::json;

on_both![
    banner_names_the_staff_member,
    events_name_staff_member_and_target,
    start_event_has_reason_and_ticket,
    invalid_requests_are_recorded,
];

async fn banner_names_the_staff_member(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    assert_eq!(started["expires_in"], 1800, "the token expires in 30 minutes");
    let me = ana.get("/v1/me").await.expect(200).json;
    assert_eq!(me["user"]["email"], "owner@acme.example", "/v1/me returns the target");
    assert_eq!(me["staff_tier"], json!(null), "the target is not staff");
    assert_eq!(
        me["impersonation"]["actor"]["email"], "support@postern.example",
        "/v1/me names the staff member"
    );
    assert_eq!(
        me["impersonation"]["banner"], started["banner"],
        "/v1/me returns the banner of the start response"
    );
}

async fn events_name_staff_member_and_target(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    ana.get("/v1/me").await.expect(200);
    let member = t.member_id("acme", "viewer@acme.example").await;
    ana.patch(&format!("/v1/orgs/acme/members/{member}"), json!({ "role": "member" }))
        .await
        .expect(200);

    let owner = t.sign_in("owner@acme.example").await;
    let events = owner
        .get("/v1/orgs/acme/audit-events?on_behalf_of=owner@acme.example")
        .await
        .expect(200)
        .json;
    let events = events["data"].as_array().expect("data is an array");
    let actions: Vec<&str> = events.iter().filter_map(|event| event["action"].as_str()).collect();
    assert_eq!(
        actions,
        ["user.role_changed", "impersonation.request", "impersonation.request"],
        "each request is recorded before its changes"
    );
    for event in events {
        assert_eq!(
            event["actor"]["email"], "support@postern.example",
            "the actor is the staff member"
        );
        assert_eq!(event["actor"]["type"], "staff", "the actor has the type staff");
        assert_eq!(event["actor"]["tier"], "support", "the actor has a tier");
        assert_eq!(
            event["on_behalf_of"]["email"], "owner@acme.example",
            "the event names the target"
        );
        assert_eq!(
            event["source"]["impersonation_id"], started["impersonation"]["id"],
            "the event names the impersonation"
        );
    }
    let expected =
        "Sam Okoro (support), as Ana Costa, changed viewer@acme.example from viewer to member";
    assert_eq!(events[0]["summary"], expected, "the summary names both");
}

async fn start_event_has_reason_and_ticket(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let owner = t.sign_in("owner@acme.example").await;
    let start_events =
        owner.get("/v1/orgs/acme/audit-events?action=impersonation.started").await.expect(200).json;
    assert_eq!(
        start_events["data"][0]["reason"], "cannot open the reports page",
        "the start event has the reason"
    );
    assert_eq!(start_events["data"][0]["ticket_ref"], "SUP-4312", "the start event has the ticket");
}

async fn invalid_requests_are_recorded(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let request =
        ana.request("PATCH", "/v1/orgs/acme").header("content-type", "text/plain").body("x");
    Response::of(request.send().await).await.problem(415, "unsupported_media_type");
    ana.patch("/v1/orgs/acme", json!({ "nonsense": true })).await.problem(422, "invalid_body");
    ana.get("/v1/orgs/acme/members?nonsense=1").await.problem(400, "invalid_query");
    assert_eq!(t.recorded("impersonation.request").await, 3, "each request is recorded");
}
