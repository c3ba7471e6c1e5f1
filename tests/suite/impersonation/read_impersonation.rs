//! `read_impersonation` and `read_org_impersonation`: one shape in every response.

use postern_tests::{App, Response, on_both};
use serde_json::{Value, json};

use super::start_body;

on_both![
    location_of_a_start_leads_to_the_impersonation,
    every_response_has_the_same_shape,
    support_reads_own_and_engineering_any_impersonation,
    org_admin_reads_impersonations_of_the_org,
];

async fn location_of_a_start_leads_to_the_impersonation(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let body = start_body(&t.user_id("owner@acme.example").await, "acme");
    let request = support
        .request("POST", "/v1/admin/impersonations")
        .header("idempotency-key", "the-location-of-a-start")
        .json(&body);
    let response = Response::of(request.send().await).await.expect(201);
    let read = support.get(&response.header("location")).await.expect(200).json;
    assert_eq!(read, response.json["impersonation"], "the start returned the same");
}

async fn every_response_has_the_same_shape(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let impersonation = &started["impersonation"];
    let user = t.user_id("owner@acme.example").await;
    let staff = t.user_id("support@postern.example").await;
    for (field, expected) in [
        ("/org/slug", json!("acme")),
        ("/org/name", json!("Acme Corporation")),
        ("/staff", json!({ "id": staff, "email": "support@postern.example", "name": "Sam Okoro" })),
        ("/user", json!({ "id": user, "email": "owner@acme.example", "name": "Ana Costa" })),
        ("/mode", json!("full")),
        ("/reason", json!("cannot open the reports page")),
        ("/ticket_ref", json!("SUP-4312")),
        ("/status", json!("active")),
        ("/ended_at", json!(null)),
        ("/end_cause", json!(null)),
    ] {
        assert_eq!(impersonation.pointer(field), Some(&expected), "{field} of {impersonation}");
    }
    let path = format!("impersonations/{}", impersonation["id"].as_str().expect("a string"));
    let owner = t.sign_in("owner@acme.example").await;
    let others: [Value; 5] = [
        ana.get("/v1/me").await.expect(200).json["impersonation"].take(),
        support.get("/v1/admin/impersonations").await.expect(200).json["data"][0].take(),
        support.get(&format!("/v1/admin/{path}")).await.expect(200).json,
        owner.get("/v1/orgs/acme/impersonations").await.expect(200).json["data"][0].take(),
        owner.get(&format!("/v1/orgs/acme/{path}")).await.expect(200).json,
    ];
    for other in &others {
        assert_eq!(other, impersonation, "the response has the same shape");
    }
    support.delete(&format!("/v1/admin/{path}")).await.expect(204);
    let ended = owner.get(&format!("/v1/orgs/acme/{path}")).await.expect(200).json;
    assert_eq!(ended["status"], "ended", "the status follows from the end");
    assert_eq!(ended["end_cause"], "ended", "the cause of the end is returned");
    assert_eq!(ended["banner"], json!(null), "an ended impersonation has no banner");
    assert!(ended["ended_at"].is_string(), "the time of the end is returned: {ended}");
}

async fn support_reads_own_and_engineering_any_impersonation(t: &App) {
    let (support, ops, eng) = (
        t.sign_in("support@postern.example").await,
        t.sign_in("ops@postern.example").await,
        t.sign_in("eng@postern.example").await,
    );
    let (_, started) = t.impersonate(&support, "owner@acme.example", "acme", "read_only").await;
    let id = started["impersonation"]["id"].as_str().expect("id is a string");
    let path = format!("/v1/admin/impersonations/{id}");
    support.get(&path).await.expect(200);
    eng.get(&path).await.expect(200);
    let other = ops.get(&path).await.problem(404, "not_found");
    let unknown = "/v1/admin/impersonations/imp_01k7fgpr00e00800000000000g";
    let unknown = ops.get(unknown).await.problem(404, "not_found");
    assert_eq!(
        other.without_request_id(),
        unknown.without_request_id(),
        "another's impersonation looks like one that does not exist"
    );
}

async fn org_admin_reads_impersonations_of_the_org(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (_, started) = t.impersonate(&support, "member@globex.example", "globex", "full").await;
    let id = started["impersonation"]["id"].as_str().expect("id is a string");
    let path = |org: &str| format!("/v1/orgs/{org}/impersonations/{id}");
    t.sign_in("admin@globex.example").await.get(&path("globex")).await.expect(200);
    let acme = t.sign_in("admin@acme.example").await;
    acme.get(&path("acme")).await.problem(404, "not_found");
    t.sign_in("member@globex.example")
        .await
        .get(&path("globex"))
        .await
        .problem(403, "permission_denied");
}
