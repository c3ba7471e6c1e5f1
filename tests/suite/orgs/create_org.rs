//! `create_org` and `list_my_orgs`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![org_is_created_and_listed, slug_is_unique];

async fn org_is_created_and_listed(t: &App) {
    let me = t.sign_in("member@acme.example").await;
    let created =
        me.post("/v1/orgs", json!({ "name": "Umbrella", "slug": "umbrella" })).await.expect(201);
    let id = created.text("/id");
    assert_eq!(
        created.header("location"),
        format!("/v1/orgs/{id}"),
        "Location is the path of the org"
    );
    assert_eq!(created.json["plan"], "starter", "a new org has the starter plan");
    me.get(&created.header("location")).await.expect(200);
    let orgs = me.get("/v1/orgs").await.expect(200);
    assert_eq!(orgs.text("/data/0/org/slug"), "umbrella", "the newest org is listed first");
    assert_eq!(orgs.json["data"].as_array().map(Vec::len), Some(2), "both orgs are listed");
}

async fn slug_is_unique(t: &App) {
    let me = t.sign_in("member@acme.example").await;
    me.post("/v1/orgs", json!({ "name": "Umbrella", "slug": "umbrella" })).await.expect(201);
    let conflict = t
        .sign_in("owner@globex.example")
        .await
        .post("/v1/orgs", json!({ "name": "Other", "slug": "umbrella" }))
        .await;
    conflict.problem(409, "slug_taken");
}
