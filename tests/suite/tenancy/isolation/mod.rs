//! Tenant isolation sweep: sends every operation with another org's id in every parameter and field
//! that takes an id, as a member of an org and as support impersonating that member. The response
//! equals the response for an id that does not exist, byte for byte.
//!
//! The operations come from the OpenAPI document, so new ones are included. The sweep fails on a
//! parameter or field that `sweep::prefix` does not know.

mod operations;
mod other_org;
mod sweep;

use postern_tests::{App, on_all};
use serde_json::json;

pub use self::operations::documented_operations;
use self::{other_org::OtherOrg, sweep::Sweep};

on_all![
    ids_of_another_org_look_nonexistent,
    cursor_of_another_org_is_invalid,
    taken_slug_reveals_nothing_else
];

async fn ids_of_another_org_look_nonexistent(t: &App) {
    let other_org = OtherOrg::create(t).await;
    let operations = documented_operations(t).await;
    let before = read_as_owner(t).await;
    let support = t.sign_in("ops@postern.example").await;
    let callers = [
        t.sign_in("owner@acme.example").await,
        t.impersonate(&support, "owner@acme.example", "acme", "full").await.0,
    ];
    let sweeps = callers.each_ref().map(|caller| Sweep { t, other_org: &other_org, caller });
    let mut compared = 0;
    // Filters first: later requests are recorded with their paths in the caller's log, and would
    // match.
    for sweep in &sweeps {
        for operation in &operations {
            compared += sweep.query_parameters(operation).await;
        }
    }
    for sweep in &sweeps {
        for operation in &operations {
            compared += sweep.path_parameters(operation).await;
            compared += sweep.body_fields(operation).await;
        }
    }
    assert!(compared > 250, "more than 250 parameters and fields are tried, not {compared}");
    assert_eq!(before, read_as_owner(t).await, "the other org and its audit log are unchanged");
}

/// Response bodies of the other org's read operations, for its owner.
async fn read_as_owner(t: &App) -> Vec<String> {
    let owner = t.sign_in("owner@globex.example").await;
    let mut bodies = Vec::new();
    for resource in [
        "",
        "/members",
        "/settings",
        "/features",
        "/dashboard",
        "/impersonations",
        "/audit-events?limit=100",
    ] {
        bodies.push(owner.get(&format!("/v1/orgs/globex{resource}")).await.expect(200).body);
    }
    bodies
}

async fn cursor_of_another_org_is_invalid(t: &App) {
    OtherOrg::create(t).await;
    let globex = t.sign_in("owner@globex.example").await;
    let acme = t.sign_in("owner@acme.example").await;
    for list in ["members", "audit-events"] {
        let cursor = globex
            .get(&format!("/v1/orgs/globex/{list}?limit=1"))
            .await
            .expect(200)
            .text("/next_cursor");
        let response = acme
            .get(&format!("/v1/orgs/acme/{list}?limit=1&cursor={cursor}"))
            .await
            .problem(400, "invalid_cursor");
        let forged: String = cursor.chars().rev().collect();
        let reference = acme
            .get(&format!("/v1/orgs/acme/{list}?limit=1&cursor={forged}"))
            .await
            .problem(400, "invalid_cursor");
        assert_eq!(
            response.without_request_id(),
            reference.without_request_id(),
            "a cursor of another org gets the same response as a forged one"
        );
    }
}

async fn taken_slug_reveals_nothing_else(t: &App) {
    let other_org = OtherOrg::create(t).await;
    let me = t.sign_in("member@acme.example").await;
    let taken = me
        .post("/v1/orgs", json!({ "name": "Mine", "slug": "globex" }))
        .await
        .problem(409, "slug_taken");
    for marker in other_org.markers.iter().filter(|marker| *marker != "lobex") {
        assert!(
            !taken.body.contains(marker),
            "the response does not reveal {marker}: {}",
            taken.body
        );
    }
    // Slugs of the caller's org, of another org and of a deleted org get the same response.
    let own_slug = me
        .post("/v1/orgs", json!({ "name": "Mine", "slug": "acme" }))
        .await
        .problem(409, "slug_taken");
    assert_eq!(
        taken.without_request_id(),
        own_slug.without_request_id(),
        "the response is the same for the caller's own org"
    );
    let initech = t.sign_in("owner@initech.example").await;
    initech
        .post("/v1/orgs/initech/deletion", json!({ "confirm_slug": "initech" }))
        .await
        .expect(204);
    let deleted = me
        .post("/v1/orgs", json!({ "name": "Mine", "slug": "initech" }))
        .await
        .problem(409, "slug_taken");
    assert_eq!(
        taken.without_request_id(),
        deleted.without_request_id(),
        "the response is the same for a deleted org"
    );
}
