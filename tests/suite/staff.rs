//! Staff: tiers, the super admin limit, account search and the permission policy.

use futures_util::future::join_all;
use postern_tests::{App, on_both};
use serde_json::json;

on_both![
    tiers_are_granted_and_removed,
    super_admin_limit_holds_under_concurrency,
    searches_are_recorded,
    every_user_reads_the_policy
];

const REASON: &str = "joins the support team";

async fn tiers_are_granted_and_removed(t: &App) {
    let super_admin = t.sign_in("super@postern.example").await;
    let (own_id, member_id) =
        (t.user_id("super@postern.example").await, t.user_id("member@acme.example").await);
    let path = |user: &str| format!("/v1/admin/staff/{user}");
    let tier = |tier: &str| json!({ "tier": tier, "reason": REASON });
    let granted = super_admin.put(&path(&member_id), tier("support")).await.expect(200);
    assert_eq!(granted.json["tier"], "support", "the response has the new tier");
    let newcomer = t.sign_in("member@acme.example").await;
    newcomer.get("/v1/admin/search?q=acme").await.expect(200);
    newcomer.put(&path(&member_id), tier("super_admin")).await.problem(403, "permission_denied");
    t.clock.turn(chrono::TimeDelta::minutes(1));
    let again = super_admin.put(&path(&member_id), tier("support")).await.expect(200);
    assert_eq!(again.json["since"], granted.json["since"], "an unchanged tier keeps its date");
    super_admin.put(&path(&own_id), tier("support")).await.problem(403, "own_tier");
    super_admin.put(&path(&member_id), tier("super_admin")).await.problem(409, "super_admin_limit");
    super_admin
        .put(&path(&member_id), json!({ "tier": "support" }))
        .await
        .problem(422, "invalid_body");
    super_admin
        .send("DELETE", &path(&member_id), Some(json!({ "reason": REASON })))
        .await
        .expect(204);
    super_admin
        .send("DELETE", &path(&member_id), Some(json!({ "reason": REASON })))
        .await
        .problem(422, "not_staff");
    newcomer.get("/v1/admin/search?q=acme").await.problem(403, "permission_denied");
    super_admin
        .put(&path("user_01k7fgpr00e00800000000000g"), tier("support"))
        .await
        .problem(404, "not_found");
    let events = t.events("action=staff.tier_changed").await;
    assert_eq!(events.len(), 2, "the grant and the removal are recorded");
    assert_eq!(
        events[1]["metadata"]["tier"],
        json!({ "old": null, "new": "support" }),
        "the event has the old and new tier"
    );
    assert_eq!(events[1]["reason"], REASON, "the event has the reason");
    assert_eq!(
        super_admin.get("/v1/admin/staff").await.expect(200).json["data"].as_array().map(Vec::len),
        Some(5),
        "the demo's 5 staff members are listed"
    );
}

async fn super_admin_limit_holds_under_concurrency(t: &App) {
    let super_admin = t.sign_in("super@postern.example").await;
    let second = t.user_id("super2@postern.example").await;
    let change = |user: String, tier: &str| {
        let (super_admin, body) = (&super_admin, json!({ "tier": tier, "reason": REASON }));
        async move { super_admin.put(&format!("/v1/admin/staff/{user}"), body).await }
    };
    let candidates = [
        "support@postern.example",
        "ops@postern.example",
        "eng@postern.example",
        "owner@acme.example",
    ];
    let ids = join_all(candidates.map(|email| t.user_id(email))).await;
    change(second, "support").await.expect(200);
    for _ in 0..5 {
        let answers =
            join_all(ids.iter().cycle().take(16).map(|id| change(id.clone(), "super_admin"))).await;
        assert!(
            answers.iter().all(|answer| [200, 409].contains(&answer.status)),
            "each response is 200 or 409: {answers:?}"
        );
        assert_eq!(
            t.db.count("SELECT count(*) FROM staff WHERE tier = 'super_admin'").await,
            2,
            "there are two super admins"
        );
        for id in &ids {
            change(id.clone(), "support").await.expect(200);
        }
    }
}

async fn searches_are_recorded(t: &App) {
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
    for too_short in ["a", "%20%20", "%20a%20"] {
        support.get(&format!("/v1/admin/search?q={too_short}")).await.problem(400, "invalid_query");
    }
    support.get("/v1/admin/search").await.problem(400, "invalid_query");
    let events = t.events("action=search.performed").await;
    assert_eq!(events.len(), 2, "both valid searches are recorded");
    assert_eq!(
        events[1]["metadata"],
        json!({ "query": "ACME", "hits": 5 }),
        "the event has the query and the number of results"
    );
    t.sign_in("owner@acme.example")
        .await
        .get("/v1/admin/search?q=acme")
        .await
        .problem(403, "permission_denied");
}

async fn every_user_reads_the_policy(t: &App) {
    let policy =
        t.sign_in("viewer@acme.example").await.get("/v1/admin/permissions").await.expect(200).json;
    let manage = policy["data"]
        .as_array()
        .expect("data is an array")
        .iter()
        .find(|entry| entry["permission"] == "members:manage");
    assert_eq!(
        manage.expect("the permission is listed")["roles"],
        json!(["admin", "owner"]),
        "admins and owners manage members"
    );
}
