//! `delete_org`.

use futures_util::future::join_all;
use postern_tests::{App, on_both};
use serde_json::json;

on_both![deletion_requires_the_slug, deleted_org_is_not_found, concurrent_deletions_delete_once,];

async fn deletion_requires_the_slug(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let confirmation = json!({ "confirm_slug": "globex" });
    owner.post("/v1/orgs/acme/deletion", confirmation).await.problem(422, "not_confirmed");
    owner.get("/v1/orgs/acme").await.expect(200);
}

async fn deleted_org_is_not_found(t: &App) {
    let me = t.sign_in("member@acme.example").await;
    let created =
        me.post("/v1/orgs", json!({ "name": "Umbrella", "slug": "umbrella" })).await.expect(201);
    let id = created.text("/id");
    let confirmation = json!({ "confirm_slug": "umbrella" });
    me.post("/v1/orgs/umbrella/deletion", confirmation).await.expect(204);
    me.get("/v1/orgs/umbrella").await.problem(404, "not_found");
    me.get(&format!("/v1/orgs/{id}")).await.problem(404, "not_found");
    assert_eq!(
        me.get("/v1/orgs").await.expect(200).json["data"].as_array().map(Vec::len),
        Some(1),
        "the deleted org is not listed"
    );
    me.post("/v1/orgs", json!({ "name": "Again", "slug": "umbrella" }))
        .await
        .problem(409, "slug_taken");
    assert_eq!(t.recorded("org.deletion_requested").await, 1, "the deletion is recorded once");
}

async fn concurrent_deletions_delete_once(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let delete = || owner.post("/v1/orgs/acme/deletion", json!({ "confirm_slug": "acme" }));
    let responses = join_all((0..16).map(|_| delete())).await;
    assert_eq!(
        responses.iter().filter(|response| response.status == 204).count(),
        1,
        "one deletion succeeds: {responses:?}"
    );
    assert!(
        responses.iter().all(|response| [204, 404].contains(&response.status)),
        "the others get 404: {responses:?}"
    );
    assert_eq!(t.recorded("org.deletion_requested").await, 1, "the deletion is recorded once");
    let renamed = owner.patch("/v1/orgs/acme", json!({ "name": "Too late" })).await;
    renamed.problem(404, "not_found");
}
