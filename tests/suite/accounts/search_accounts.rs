//! `search_accounts`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![
    orgs_and_users_are_found,
    searches_are_recorded,
    short_queries_are_rejected,
    search_requires_a_tier,
];

async fn orgs_and_users_are_found(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let results = support.get("/v1/admin/search?q=ACME").await.expect(200).json;
    assert_eq!(results["orgs"][0]["slug"], "acme", "the org is found");
    assert_eq!(results["users"].as_array().map(Vec::len), Some(4), "its four members are found");
    let org = results["orgs"][0]["id"].as_str().expect("id is a string");
    assert_eq!(
        support.get(&format!("/v1/admin/search?q={org}")).await.expect(200).json["orgs"][0]["slug"],
        "acme",
        "an org is found by its id"
    );
}

async fn searches_are_recorded(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    for query in ["ACME", "globex"] {
        support.get(&format!("/v1/admin/search?q={query}")).await.expect(200);
    }
    let events = t.events("action=search.performed").await;
    assert_eq!(events.len(), 2, "both searches are recorded");
    assert_eq!(
        events[1]["metadata"],
        json!({ "query": "ACME", "hits": 5 }),
        "the event has the query and the number of results"
    );
}

async fn short_queries_are_rejected(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    for too_short in ["a", "%20%20", "%20a%20"] {
        support.get(&format!("/v1/admin/search?q={too_short}")).await.problem(400, "invalid_query");
    }
    support.get("/v1/admin/search").await.problem(400, "invalid_query");
    assert_eq!(t.recorded("search.performed").await, 0, "rejected searches are not recorded");
}

async fn search_requires_a_tier(t: &App) {
    t.sign_in("owner@acme.example")
        .await
        .get("/v1/admin/search?q=acme")
        .await
        .problem(403, "permission_denied");
}
