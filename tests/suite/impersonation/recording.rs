//! Audit events of impersonated requests: both identities, invalid requests.

use postern_tests::{App, Response, on_both};
use serde_json::json;

on_both![
    banner_names_the_staff_member,
    events_name_staff_member_and_target,
    filters_find_all_events_of_an_impersonation,
    end_by_another_person_names_both_identities,
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
        me["impersonation"]["staff"]["email"], "support@postern.example",
        "/v1/me names the staff member"
    );
    let banner = me["impersonation"]["banner"].as_str().expect("the banner is text");
    assert!(
        banner.starts_with("Sam Okoro of support is acting as Ana Costa in acme until"),
        "the banner names both: {banner}"
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
        [
            "user.role_changed",
            "impersonation.request",
            "impersonation.request",
            "impersonation.started",
        ],
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

async fn filters_find_all_events_of_an_impersonation(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    ana.get("/v1/me").await.expect(200);
    ana.patch("/v1/orgs/acme", json!({ "name": "Acme Group" })).await.expect(200);
    ana.post("/v1/orgs", json!({ "name": "Mine", "slug": "mine" }))
        .await
        .problem(403, "impersonation_blocked");
    let id = started["impersonation"]["id"].as_str().expect("id is a string");
    support.delete(&format!("/v1/admin/impersonations/{id}")).await.expect(204);

    let owner = t.sign_in("owner@acme.example").await;
    for filter in [
        format!("impersonation={id}"),
        "ticket_ref=SUP-4312".to_owned(),
        "on_behalf_of=owner@acme.example".to_owned(),
    ] {
        let page =
            owner.get(&format!("/v1/orgs/acme/audit-events?{filter}")).await.expect(200).json;
        let events = page["data"].as_array().expect("data is an array");
        let actions: Vec<&str> =
            events.iter().filter_map(|event| event["action"].as_str()).collect();
        assert_eq!(
            actions,
            [
                "impersonation.ended",
                "permission.denied",
                "impersonation.request",
                "org.updated",
                "impersonation.request",
                "impersonation.request",
                "impersonation.started",
            ],
            "{filter} finds all events"
        );
        for event in events {
            assert_eq!(event["source"]["impersonation_id"], id, "{event} names the impersonation");
            assert_eq!(event["ticket_ref"], "SUP-4312", "{event} names the ticket");
            assert_eq!(event["actor"]["email"], "support@postern.example", "{event}: the actor");
            assert_eq!(event["on_behalf_of"]["email"], "owner@acme.example", "{event}: the user");
        }
    }
}

async fn end_by_another_person_names_both_identities(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (_, started) = t.impersonate(&support, "member@acme.example", "acme", "full").await;
    let id = started["impersonation"]["id"].as_str().expect("id is a string");
    let owner = t.sign_in("owner@acme.example").await;
    let member = t.member_id("acme", "member@acme.example").await;
    owner.delete(&format!("/v1/orgs/acme/members/{member}")).await.expect(204);
    let page =
        owner.get(&format!("/v1/orgs/acme/audit-events?impersonation={id}")).await.expect(200).json;
    let end = &page["data"][0];
    assert_eq!(end["action"], "impersonation.ended", "the end is in the org's log");
    assert_eq!(end["actor"]["email"], "owner@acme.example", "the actor is who ended it");
    assert_eq!(end["on_behalf_of"]["email"], "member@acme.example", "the user is named");
    let staff = t.user_id("support@postern.example").await;
    assert_eq!(end["metadata"]["staff_user_id"], staff.as_str(), "the staff member is named");
    assert_eq!(end["ticket_ref"], "SUP-4312", "the ticket is named");
}
