//! `change_member_role`.

use futures_util::future::join_all;
use postern_tests::{App, on_both};
use serde_json::json;

on_both![
    role_changes_are_limited_by_own_role,
    last_owner_cannot_be_demoted,
    mutual_demotion_leaves_one_owner,
];

async fn role_changes_are_limited_by_own_role(t: &App) {
    let (owner, admin) =
        (t.sign_in("owner@acme.example").await, t.sign_in("admin@acme.example").await);
    let member = t.member_id("acme", "member@acme.example").await;
    let (path, role) =
        (format!("/v1/orgs/acme/members/{member}"), |role: &str| json!({ "role": role }));
    admin.patch(&path, role("owner")).await.problem(403, "above_own_role");
    admin.patch(&path, role("admin")).await.expect(200);
    owner.patch(&path, role("owner")).await.expect(200);
    admin.patch(&path, role("viewer")).await.problem(403, "above_own_role");
    let own_id = t.member_id("acme", "admin@acme.example").await;
    admin
        .patch(&format!("/v1/orgs/acme/members/{own_id}"), role("owner"))
        .await
        .problem(403, "above_own_role");
    let events = t.events("action=user.role_changed").await;
    assert_eq!(events.len(), 2, "both changes are recorded");
    assert_eq!(
        events[1]["metadata"]["role"],
        json!({ "old": "member", "new": "admin" }),
        "the event has the old and new role"
    );
    assert_eq!(
        events[1]["summary"], "Ada Novak changed member@acme.example from member to admin",
        "the summary names the member and both roles"
    );
    assert_eq!(t.recorded("permission.denied").await, 3, "each denied change is recorded");
}

async fn last_owner_cannot_be_demoted(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let own_path =
        format!("/v1/orgs/acme/members/{}", t.member_id("acme", "owner@acme.example").await);
    owner.patch(&own_path, json!({ "role": "viewer" })).await.problem(409, "last_owner");
    owner.patch(&own_path, json!({ "role": "owner" })).await.expect(200);
    assert_eq!(t.recorded("user.role_changed").await, 0, "nothing is changed");
}

async fn mutual_demotion_leaves_one_owner(t: &App) {
    let (a, b) = (t.sign_in("owner@acme.example").await, t.sign_in("admin@acme.example").await);
    let (a_id, b_id) = (
        t.member_id("acme", "owner@acme.example").await,
        t.member_id("acme", "admin@acme.example").await,
    );
    let (a_path, b_path) =
        (format!("/v1/orgs/acme/members/{a_id}"), format!("/v1/orgs/acme/members/{b_id}"));
    a.patch(&b_path, json!({ "role": "owner" })).await.expect(200);
    for round in 0..20 {
        let demote = json!({ "role": "member" });
        let requests = (0..16).map(|n| {
            if n % 2 == 0 {
                a.patch(&b_path, demote.clone())
            } else {
                b.patch(&a_path, demote.clone())
            }
        });
        let responses = join_all(requests).await;
        assert!(
            responses.iter().all(|response| [200, 403, 409].contains(&response.status)),
            "each response is 200, 403 or 409: {responses:?}"
        );
        let owners = "SELECT count(*) FROM membership m JOIN organization o ON o.id = m.org_id \
                      WHERE o.slug = 'acme' AND m.role = 'owner'";
        assert_eq!(t.db.count(owners).await, 1, "round {round}: one owner is left");
        t.run_sql(
            "UPDATE membership SET role = 'owner' WHERE role = 'member' AND user_id IN (SELECT id \
             FROM \"user\" WHERE email IN ('owner@acme.example', 'admin@acme.example'))",
        )
        .await;
    }
}
