//! `list_my_orgs`: name, plan and status of each org.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![orgs_have_name_plan_and_status];

async fn orgs_have_name_plan_and_status(t: &App) {
    let ana = t.sign_in("owner@acme.example").await;
    ana.post("/v1/orgs", json!({ "name": "Second Org", "slug": "second" })).await.expect(201);
    let orgs = ana.get("/v1/orgs").await.expect(200).json;
    for (index, slug, name, plan) in
        [(0, "second", "Second Org", "starter"), (1, "acme", "Acme Corporation", "enterprise")]
    {
        let item = &orgs["data"][index];
        assert_eq!(item["org"]["slug"], slug, "most recently joined first");
        assert_eq!(item["org"]["name"], name, "{slug} has its name");
        assert_eq!(item["plan"], plan, "{slug} has its plan");
        assert_eq!(item["status"], "active", "{slug} has its status");
    }
    let me = ana.get("/v1/me").await.expect(200).json;
    assert_eq!(me["memberships"], orgs["data"], "/v1/me returns the same items");
}
