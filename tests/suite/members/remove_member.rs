//! `remove_member`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![
    removed_member_loses_access,
    members_above_the_own_role_cannot_be_removed,
    last_owner_cannot_be_removed,
];

async fn removed_member_loses_access(t: &App) {
    let (owner, member) =
        (t.sign_in("owner@acme.example").await, t.sign_in("member@acme.example").await);
    let id = t.member_id("acme", "member@acme.example").await;
    member.get("/v1/orgs/acme").await.expect(200);
    owner.delete(&format!("/v1/orgs/acme/members/{id}")).await.expect(204);
    member.get("/v1/orgs/acme").await.problem(404, "not_found");
    member.get("/v1/me").await.expect(200);
    owner.delete(&format!("/v1/orgs/acme/members/{id}")).await.problem(404, "not_found");
    assert_eq!(t.recorded("user.removed").await, 1, "the removal is recorded once");
}

async fn members_above_the_own_role_cannot_be_removed(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    let owner_id = t.member_id("acme", "owner@acme.example").await;
    admin.delete(&format!("/v1/orgs/acme/members/{owner_id}")).await.problem(403, "above_own_role");
    assert_eq!(t.recorded("permission.denied").await, 1, "the denial is recorded");
}

async fn last_owner_cannot_be_removed(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let own_path =
        format!("/v1/orgs/acme/members/{}", t.member_id("acme", "owner@acme.example").await);
    owner.delete(&own_path).await.problem(409, "last_owner");
    let admin_id = t.member_id("acme", "admin@acme.example").await;
    owner
        .patch(&format!("/v1/orgs/acme/members/{admin_id}"), json!({ "role": "owner" }))
        .await
        .expect(200);
    owner.delete(&own_path).await.expect(204);
    owner.get("/v1/orgs/acme").await.problem(404, "not_found");
}
