//! `create_org` and `list_my_orgs`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![org_is_created_and_listed, slug_is_unique, reserved_slugs_are_rejected];

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

async fn reserved_slugs_are_rejected(t: &App) {
    let me = t.sign_in("member@acme.example").await;
    for slug in [
        "admin",
        "null",
        "undefined",
        "new",
        "api",
        "www",
        "platform",
        "health",
        "audit-events",
        "019a9f2e-5c00-7000-8000-000000000001",
        "019a9f2e5c0070008000000000000001",
        "01k7fgpr00e00800000000000g",
        "org-01k7fgpr00e00800000000000g",
    ] {
        let response = me
            .post("/v1/orgs", json!({ "name": "Reserved", "slug": slug }))
            .await
            .problem(422, "invalid_body");
        assert_eq!(
            (response.text("/errors/0/pointer"), response.text("/errors/0/code")),
            ("/slug".to_owned(), "reserved".to_owned()),
            "{slug} is reserved"
        );
        assert!(
            response.text("/errors/0/detail").contains("choose another"),
            "the detail says how to continue: {}",
            response.body
        );
    }
    // Of words with fewer than three letters, the length is wrong first.
    me.post("/v1/orgs", json!({ "name": "Me", "slug": "me" })).await.problem(422, "invalid_body");
    for slug in ["admin-services", "newco", "organic-01", "360"] {
        me.post("/v1/orgs", json!({ "name": "Fine", "slug": slug })).await.expect(201);
    }
}
