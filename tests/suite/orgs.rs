//! Orgs, members, settings, features and the dashboard, including 404 for non-members.

use futures_util::future::join_all;
use postern_tests::{App, on_both};
use serde_json::json;

on_both![
    org_is_created_updated_and_deleted,
    members_are_listed_in_pages,
    role_changes_are_limited_by_own_role,
    last_owner_cannot_be_demoted_or_removed,
    mutual_demotion_leaves_one_owner,
    settings_updates_check_the_version,
    features_state_what_decided_them,
    dashboard_returns_counts,
    non_members_get_the_same_404_as_for_random_ids,
    cursors_are_bound_to_their_list,
    removed_member_loses_access,
    concurrent_deletions_delete_once,
];

async fn org_is_created_updated_and_deleted(t: &App) {
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
    let conflict = t
        .sign_in("owner@globex.example")
        .await
        .post("/v1/orgs", json!({ "name": "Other", "slug": "umbrella" }))
        .await;
    conflict.problem(409, "slug_taken");
    let orgs = me.get("/v1/orgs").await.expect(200);
    assert_eq!(orgs.text("/data/0/org/slug"), "umbrella", "the newest org is listed first");
    assert_eq!(orgs.json["data"].as_array().map(Vec::len), Some(2), "both orgs are listed");

    me.patch("/v1/orgs/umbrella", json!({ "name": "Umbrella International" })).await.expect(200);
    me.patch("/v1/orgs/umbrella", json!({ "name": "Umbrella International" })).await.expect(200);
    assert_eq!(
        t.recorded("org.updated").await,
        1,
        "only the first of two equal updates is recorded"
    );
    let confirm = |slug: &str| Some(json!({ "confirm_slug": slug }));
    me.send("DELETE", "/v1/orgs/umbrella", confirm("acme")).await.problem(422, "not_confirmed");
    me.get("/v1/orgs/umbrella").await.expect(200);
    me.send("DELETE", "/v1/orgs/umbrella", confirm("umbrella")).await.expect(204);
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

async fn members_are_listed_in_pages(t: &App) {
    let me = t.sign_in("viewer@acme.example").await;
    let (mut emails, mut path) = (Vec::new(), "/v1/orgs/acme/members?limit=3".to_owned());
    loop {
        let page = me.get(&path).await.expect(200);
        emails.extend(
            page.json["data"]
                .as_array()
                .expect("data is an array")
                .iter()
                .map(|member| member["email"].to_string()),
        );
        match page.json["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/orgs/acme/members?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    let expected =
        ["viewer", "member", "admin", "owner"].map(|role| format!("\"{role}@acme.example\""));
    assert_eq!(emails, expected, "each member appears once, newest first");
    let count = |query: &str| {
        let path = format!("/v1/orgs/acme/members?{query}");
        let me = &me;
        async move { me.get(&path).await.expect(200).json["data"].as_array().map_or(0, Vec::len) }
    };
    assert_eq!(count("q=COSTA").await, 1, "the search ignores case");
    assert_eq!(count("q=acme").await, 4, "the search covers addresses");
    assert_eq!(count("q=%25").await, 0, "`%` is not a wildcard");
    assert_eq!(count("q=_").await, 0, "`_` is not a wildcard");
    assert_eq!(count("role=admin").await, 1, "one member is an admin");
    assert_eq!(count("role=admin&q=viewer").await, 0, "filters are combined with AND");
}

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
    admin.delete(&path).await.problem(403, "above_own_role");
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
    assert_eq!(t.recorded("permission.denied").await, 4, "each denied change is recorded");
}

async fn last_owner_cannot_be_demoted_or_removed(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let own_path =
        format!("/v1/orgs/acme/members/{}", t.member_id("acme", "owner@acme.example").await);
    owner.patch(&own_path, json!({ "role": "viewer" })).await.problem(409, "last_owner");
    owner.delete(&own_path).await.problem(409, "last_owner");
    owner.patch(&own_path, json!({ "role": "owner" })).await.expect(200);
    let admin_id = t.member_id("acme", "admin@acme.example").await;
    owner
        .patch(&format!("/v1/orgs/acme/members/{admin_id}"), json!({ "role": "owner" }))
        .await
        .expect(200);
    owner.delete(&own_path).await.expect(204);
    owner.get("/v1/orgs/acme").await.problem(404, "not_found");
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
        let answers = join_all(requests).await;
        assert!(
            answers.iter().all(|answer| [200, 403, 409].contains(&answer.status)),
            "each response is 200, 403 or 409: {answers:?}"
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

async fn settings_updates_check_the_version(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    let read = admin.get("/v1/orgs/acme/settings").await.expect(200);
    let etag = read.header("etag");
    let edit = |etag: &str, body: serde_json::Value| {
        let request =
            admin.request("PATCH", "/v1/orgs/acme/settings").header("if-match", etag).json(&body);
        async move { postern_tests::Answer::of(request.send().await).await }
    };
    let edited = edit(&etag, json!({ "branding": { "color": "#00ff00" } })).await.expect(200);
    assert_ne!(edited.header("etag"), etag, "the ETag changes");
    assert_eq!(
        edited.json["support_email"], read.json["support_email"],
        "omitted fields are unchanged"
    );
    edit(&etag, json!({ "support_email": null })).await.problem(412, "stale");
    for other in ["\"nonsense\"", "\"+2\"", "W/\"2\"", "\"7\", \"8\""] {
        edit(other, json!({ "support_email": null })).await.problem(412, "stale");
    }
    edit("\"7\", \"2\"", json!({ "branding": { "color": "#00ff00" } })).await.expect(200);
    edit("unquoted", json!({ "support_email": null })).await.problem(400, "invalid_header");
    let cleared = edit(&edited.header("etag"), json!({ "support_email": null })).await.expect(200);
    assert_eq!(cleared.json["support_email"], json!(null), "the address is cleared");
    let unchanged =
        admin.patch("/v1/orgs/acme/settings", json!({ "support_email": null })).await.expect(200);
    assert_eq!(
        unchanged.header("etag"),
        cleared.header("etag"),
        "an update without changes keeps the ETag"
    );
    assert_eq!(t.recorded("settings.updated").await, 2, "only updates with changes are recorded");
    for invalid in [
        json!({ "branding": { "color": "green" } }),
        json!({ "branding": { "logo_url": "https://169.254.169.254/x" } }),
        json!({ "limits": { "max_users": 1 } }),
        json!({ "support_email": "no-address" }),
        json!({ "support_email": "\r\n it@acme.example" }),
        json!({ "branding": null }),
        json!({ "branding": [null, null] }),
    ] {
        admin.patch("/v1/orgs/acme/settings", invalid).await.problem(422, "invalid_body");
    }
    let answers = join_all((0..10).map(|n| {
        edit(&cleared.header("etag"), json!({ "branding": { "color": format!("#00000{n}") } }))
    }))
    .await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1,
        "one of ten concurrent edits of the same version succeeds"
    );
}

async fn features_state_what_decided_them(t: &App) {
    let sso = |org: &'static str| async move {
        let viewer = t.sign_in(&format!("viewer@{org}.example")).await;
        let feature = viewer.get(&format!("/v1/orgs/{org}/features/sso")).await.expect(200).json;
        (feature["enabled"].clone(), feature["decided_by"].clone())
    };
    assert_eq!(sso("acme").await, (json!(true), json!("plan")), "the plan enables the feature");
    assert_eq!(
        sso("globex").await,
        (json!(true), json!("override")),
        "an override enables the feature"
    );
    assert_eq!(
        sso("initech").await,
        (json!(false), json!("default")),
        "the default disables the feature"
    );
    t.clock.turn(chrono::TimeDelta::days(30));
    assert_eq!(
        sso("globex").await,
        (json!(false), json!("default")),
        "an expired override does not apply"
    );
    let viewer = t.sign_in("viewer@acme.example").await;
    viewer.get("/v1/orgs/acme/features/flying").await.problem(404, "not_found");
    assert_eq!(
        viewer.get("/v1/orgs/acme/features").await.expect(200).json["data"]
            .as_array()
            .map(Vec::len),
        Some(5),
        "all features are listed"
    );
}

async fn dashboard_returns_counts(t: &App) {
    let dashboard = t
        .sign_in("viewer@initech.example")
        .await
        .get("/v1/orgs/initech/dashboard")
        .await
        .expect(200)
        .json;
    assert_eq!(
        dashboard["members_by_role"],
        json!({ "owner": 1, "admin": 1, "member": 1, "viewer": 1 }),
        "members by role"
    );
    assert_eq!(
        dashboard["usage"][0],
        json!({ "metric": "users", "used": 4, "limit": 10 }),
        "usage of users and its limit"
    );
    assert_eq!(
        dashboard["usage"][2],
        json!({ "metric": "projects", "used": 7, "limit": 3 }),
        "usage of projects above its limit"
    );
    assert_eq!(dashboard["plan"], "starter", "the plan of the org");
    assert_eq!(dashboard["features"], json!([]), "no feature is enabled");
    assert_eq!(dashboard["last_activity_at"], "2026-11-20T08:00:00Z", "time of the newest event");
}

async fn non_members_get_the_same_404_as_for_random_ids(t: &App) {
    let non_member = t.sign_in("owner@globex.example").await;
    let (org, member) = {
        let owner = t.sign_in("owner@acme.example").await;
        (
            owner.get("/v1/orgs/acme").await.expect(200).text("/id"),
            t.member_id("acme", "member@acme.example").await,
        )
    };
    let random_id = "org_01k7fgpr00e00800000000000g";
    for rest in
        ["", "/dashboard", "/members", "/settings", "/features", "/audit-events", "/impersonations"]
    {
        let by_id =
            non_member.get(&format!("/v1/orgs/{org}{rest}")).await.problem(404, "not_found");
        let by_slug =
            non_member.get(&format!("/v1/orgs/acme{rest}")).await.problem(404, "not_found");
        let random =
            non_member.get(&format!("/v1/orgs/{random_id}{rest}")).await.problem(404, "not_found");
        assert_eq!(
            by_id.without_request_id(),
            random.without_request_id(),
            "by id, {rest:?} returns the same 404 as for a random org"
        );
        assert_eq!(
            by_slug.without_request_id(),
            random.without_request_id(),
            "by slug, {rest:?} returns the same 404 as for a random org"
        );
    }
    let before = t.recorded("permission.denied").await;
    let existing = non_member
        .get(&format!("/v1/orgs/globex/members/{member}"))
        .await
        .problem(404, "not_found");
    let random = non_member
        .get("/v1/orgs/globex/members/mem_01k7fgpr00e00800000000000g")
        .await
        .problem(404, "not_found");
    assert_eq!(
        existing.without_request_id(),
        random.without_request_id(),
        "a member of another org gets the same 404 as a random member"
    );
    non_member
        .patch(&format!("/v1/orgs/acme/members/{member}"), json!({ "role": "nonsense" }))
        .await
        .problem(404, "not_found");
    // Each attempt is recorded, whether or not the id exists.
    assert_eq!(t.recorded("permission.denied").await, before + 3, "each denial is recorded");
    let denied = &t.events("action=permission.denied").await[0];
    assert_eq!(
        denied["org"],
        json!(null),
        "attempts of non-members are not recorded in the org's log"
    );
    assert_eq!(denied["actor"]["email"], "owner@globex.example", "the denial names the caller");
}

async fn cursors_are_bound_to_their_list(t: &App) {
    let (acme, globex) =
        (t.sign_in("owner@acme.example").await, t.sign_in("owner@globex.example").await);
    let cursor = acme.get("/v1/orgs/acme/members?limit=1").await.expect(200).text("/next_cursor");
    acme.get(&format!("/v1/orgs/acme/members?cursor={cursor}")).await.expect(200);
    globex
        .get(&format!("/v1/orgs/globex/members?cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
    acme.get(&format!("/v1/orgs/acme/members?role=viewer&cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
    acme.get(&format!("/v1/orgs/acme/audit-events?cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
    for forged in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%F0%9F%98%80"] {
        acme.get(&format!("/v1/orgs/acme/members?cursor={forged}"))
            .await
            .problem(400, "invalid_cursor");
    }
}

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

async fn concurrent_deletions_delete_once(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let delete = || owner.send("DELETE", "/v1/orgs/acme", Some(json!({ "confirm_slug": "acme" })));
    let answers = join_all((0..16).map(|_| delete())).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 204).count(),
        1,
        "one deletion succeeds: {answers:?}"
    );
    assert!(
        answers.iter().all(|answer| [204, 404].contains(&answer.status)),
        "the others get 404: {answers:?}"
    );
    assert_eq!(t.recorded("org.deletion_requested").await, 1, "the deletion is recorded once");
    let renamed = owner.patch("/v1/orgs/acme", json!({ "name": "Too late" })).await;
    renamed.problem(404, "not_found");
}
