//! `search_accounts`.

use postern_tests::{App, on_both};
use serde_json::{Value, json};

on_both![
    orgs_and_users_are_found,
    searches_ignore_case_in_all_scripts,
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

/// Both databases compare text alike, whatever their locale is.
async fn searches_ignore_case_in_all_scripts(t: &App) {
    let (support, owner) =
        (t.sign_in("support@postern.example").await, t.sign_in("owner@acme.example").await);
    for (name, found, not_found) in [
        ("Élan", &["élan", "ÉLAN", "e\u{301}LAN"][..], &["elan"][..]),
        ("Straße", &["straße", "STRAẞE", "TRA"], &["strasse"]),
        ("İstanbul", &["istanbul", "İSTANBUL", "ISTANBUL", "ıstanbul"], &[]),
        ("ΟΔΟΣ", &["οδος", "οδοσ", "ΟΔΟς"], &["οδο\u{301}ς"]),
        ("Ωmega", &["ωMEGA"], &["omega"]),
        ("100%_[a-b]*?^!", &["%_[A-B]*?^!", "0%"], &["1_0", "[c]", "10.%"]),
        ("Köln", &["\u{212a}ÖLN"], &[]),
        ("ДОМ-Ԛ", &["дом-ԛ"], &[]),
    ] {
        owner.patch("/v1/orgs/acme", json!({ "name": name })).await.expect(200);
        owner.patch("/v1/me", json!({ "name": name })).await.expect(200);
        let hits = async |q: &str| {
            let q = q.bytes().fold(String::new(), |query, byte| query + &format!("%{byte:02X}"));
            let admin = support.get(&format!("/v1/admin/search?q={q}")).await.expect(200).json;
            let members = owner.get(&format!("/v1/orgs/acme/members?q={q}")).await.expect(200).json;
            let events =
                owner.get(&format!("/v1/orgs/acme/audit-events?q={q}")).await.expect(200).json;
            let length = |list: &Value| list.as_array().map_or(0, Vec::len).min(1);
            [&admin["orgs"], &admin["users"], &members["data"], &events["data"]].map(length)
        };
        for q in found {
            assert_eq!(hits(q).await, [1, 1, 1, 1], "{q} is in {name}");
        }
        for q in not_found {
            assert_eq!(hits(q).await[..3], [0, 0, 0], "{q} is not in {name}");
        }
    }
}
