//! Impersonation: limits in time, mode and org, blocked operations, and both identities in the
//! audit log.

use chrono::TimeDelta;
use futures_util::future::join_all;
use postern_tests::{Answer, App, on_both};
use serde_json::{Value, json};

on_both![
    events_name_staff_member_and_target,
    read_only_mode_rejects_writes,
    sensitive_operations_are_blocked,
    impersonation_expires,
    ended_impersonation_is_rejected,
    impersonation_ends_with_its_session_membership_or_org,
    impersonation_is_checked_against_current_rows,
    invalid_requests_are_recorded,
    staff_and_suspended_users_cannot_be_impersonated,
    reason_and_ticket_are_required,
    impersonation_is_limited_to_one_org,
    idempotency_key_starts_one_impersonation,
    support_ends_own_and_engineering_any_impersonation,
    org_admin_lists_impersonations,
];

async fn events_name_staff_member_and_target(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    assert_eq!(started["expires_in"], 1800, "the token expires in 30 minutes");
    let me = ana.get("/v1/me").await.expect(200).json;
    assert_eq!(me["user"]["email"], "owner@acme.example", "/v1/me returns the target");
    assert_eq!(me["staff_tier"], json!(null), "the target is not staff");
    assert_eq!(
        me["impersonation"]["actor"]["email"], "support@postern.example",
        "/v1/me names the staff member"
    );
    assert_eq!(
        me["impersonation"]["banner"], started["banner"],
        "/v1/me returns the banner of the start response"
    );
    let member = t.member_id("acme", "viewer@acme.example").await;
    ana.patch(&format!("/v1/orgs/acme/members/{member}"), json!({ "role": "member" }))
        .await
        .expect(200);

    let owner = t.sign_in("owner@acme.example").await;
    let events = owner
        .get("/v1/orgs/acme/audit-events?on_behalf_of=owner@acme.example")
        .await
        .expect(200)
        .json;
    let events = events["data"].as_array().expect("data is an array");
    let actions: Vec<&str> = events.iter().filter_map(|event| event["action"].as_str()).collect();
    assert_eq!(
        actions,
        ["user.role_changed", "impersonation.request", "impersonation.request"],
        "each request is recorded before its changes"
    );
    for event in events {
        assert_eq!(
            event["actor"]["email"], "support@postern.example",
            "the actor is the staff member"
        );
        assert_eq!(event["actor"]["type"], "staff", "the actor has the type staff");
        assert_eq!(event["actor"]["tier"], "support", "the actor has a tier");
        assert_eq!(
            event["on_behalf_of"]["email"], "owner@acme.example",
            "the event names the target"
        );
        assert_eq!(
            event["source"]["impersonation_id"], started["impersonation"]["id"],
            "the event names the impersonation"
        );
    }
    let expected =
        "Sam Okoro (support), as Ana Costa, changed viewer@acme.example from viewer to member";
    assert_eq!(events[0]["summary"], expected, "the summary names both");
    let start_events =
        owner.get("/v1/orgs/acme/audit-events?action=impersonation.started").await.expect(200).json;
    assert_eq!(
        start_events["data"][0]["reason"], "cannot open the reports page",
        "the start event has the reason"
    );
    assert_eq!(start_events["data"][0]["ticket_ref"], "SUP-4312", "the start event has the ticket");
}

async fn read_only_mode_rejects_writes(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, _) = t.impersonate(&support, "owner@acme.example", "acme", "read_only").await;
    ana.get("/v1/orgs/acme/members").await.expect(200);
    ana.patch("/v1/orgs/acme", json!({ "name": "Other" }))
        .await
        .problem(403, "impersonation_read_only");
    ana.patch("/v1/me", json!({ "name": "Other" })).await.problem(403, "impersonation_read_only");
    assert_eq!(t.recorded("org.updated").await, 0, "nothing is changed");
    let denied = t.events("action=permission.denied").await;
    assert_eq!(denied.len(), 2, "both writes are recorded as denied");
    assert!(
        denied.iter().all(|event| event["on_behalf_of"]["email"] == "owner@acme.example"
            && event["org"]["slug"] == "acme"),
        "the denials name the target and the org: {denied:?}"
    );
}

async fn sensitive_operations_are_blocked(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let blocked = |answer: Answer| answer.problem(403, "impersonation_blocked");
    blocked(
        ana.post("/v1/me/password", json!({ "current_password": "x", "new_password": "y" })).await,
    );
    blocked(ana.post("/v1/auth/logout", json!({})).await);
    blocked(ana.send("DELETE", "/v1/orgs/acme", Some(json!({ "confirm_slug": "acme" }))).await);
    blocked(ana.post("/v1/orgs", json!({ "name": "Mine", "slug": "mine" })).await);
    blocked(ana.get("/v1/admin/search?q=acme").await);
    blocked(ana.post("/v1/admin/impersonations", json!({})).await);
    blocked(ana.get("/v1/admin/staff").await);
    let member =
        format!("/v1/orgs/acme/members/{}", t.member_id("acme", "member@acme.example").await);
    blocked(ana.patch(&member, json!({ "role": "admin" })).await);
    blocked(ana.patch(&member, json!({ "role": "owner" })).await);
    ana.patch(&member, json!({ "role": "viewer" })).await.expect(200);
    assert_eq!(t.recorded("permission.denied").await, 9, "each blocked request is recorded");
    t.sign_in("owner@acme.example").await.get("/v1/orgs/acme").await.expect(200);
}

async fn impersonation_expires(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    t.clock.turn(TimeDelta::minutes(30) - TimeDelta::seconds(1));
    ana.get("/v1/me").await.expect(200);
    t.clock.turn(TimeDelta::seconds(1));
    ana.get("/v1/me").await.problem(401, "impersonation_expired");
    ana.patch("/v1/orgs/acme", json!({ "name": "Other" }))
        .await
        .problem(401, "impersonation_expired");
    // An earlier expiry in the database applies even if the token expires later.
    t.clock.turn(TimeDelta::seconds(-1));
    let earlier = match t.backend {
        postern_tests::Backend::Sqlite => {
            "UPDATE impersonation SET expires_at = '2026-11-20T09:10:00+00:00'"
        }
        postern_tests::Backend::Postgres | postern_tests::Backend::PgBouncer => {
            "UPDATE impersonation SET expires_at = '2026-11-20T09:10:00Z'"
        }
    };
    t.run_sql(earlier).await;
    ana.get("/v1/me").await.problem(401, "impersonation_expired");
}

async fn ended_impersonation_is_rejected(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let path = format!(
        "/v1/admin/impersonations/{}",
        started["impersonation"]["id"].as_str().expect("id is a string")
    );
    support.delete(&path).await.expect(204);
    ana.get("/v1/me").await.problem(401, "impersonation_ended");
    support.delete(&path).await.problem(409, "already_ended");
    assert_eq!(t.recorded("impersonation.ended").await, 1, "the end is recorded once");
    assert_eq!(
        t.recorded("impersonation.request").await,
        0,
        "requests after the end are not recorded as impersonated"
    );
}

async fn impersonation_ends_with_its_session_membership_or_org(t: &App) {
    let super_admin = t.sign_in("super@postern.example").await;
    let reason = "ends the impersonation in this test";
    for cause in ["sign-out", "revocation", "password", "staff", "membership", "org"] {
        let support = t.sign_in("support@postern.example").await;
        let support_id = t.user_id("support@postern.example").await;
        let (target, started) =
            t.impersonate(&support, "member@globex.example", "globex", "full").await;
        target.get("/v1/me").await.expect(200);
        let owner = t.sign_in("owner@globex.example").await;
        match cause {
            "sign-out" => drop(support.post("/v1/auth/logout", json!({})).await.expect(204)),
            "revocation" => {
                let session = support.get("/v1/me/sessions").await.expect(200).text("/data/0/id");
                t.sign_in("support@postern.example")
                    .await
                    .delete(&format!("/v1/me/sessions/{session}"))
                    .await
                    .expect(204);
            }
            "password" => {
                let body = json!({
                    "current_password": postern_tests::PASSWORD,
                    "new_password": "four random words do",
                });
                t.sign_in("support@postern.example")
                    .await
                    .post("/v1/me/password", body)
                    .await
                    .expect(204);
                let restore = json!({
                    "current_password": "four random words do",
                    "new_password": postern_tests::PASSWORD,
                });
                let new_token = t
                    .log_in("support@postern.example", "four random words do")
                    .await
                    .expect(200)
                    .text("/access_token");
                t.bearer(&new_token).post("/v1/me/password", restore).await.expect(204);
            }
            "staff" => {
                let path = format!("/v1/admin/staff/{support_id}");
                super_admin
                    .send("DELETE", &path, Some(json!({ "reason": reason })))
                    .await
                    .expect(204);
                target.get("/v1/me").await.problem(401, "impersonation_ended");
                super_admin
                    .put(&path, json!({ "tier": "support", "reason": reason }))
                    .await
                    .expect(200);
            }
            "membership" => {
                let member = t.member_id("globex", "member@globex.example").await;
                owner.delete(&format!("/v1/orgs/globex/members/{member}")).await.expect(204);
                t.run_sql(
                    "INSERT INTO membership (org_id, id, user_id, role, created_at) SELECT o.id, \
                     u.id, u.id, 'member', u.created_at FROM organization o, \"user\" u WHERE \
                     o.slug = 'globex' AND u.email = 'member@globex.example'",
                )
                .await;
            }
            _ => drop(
                owner
                    .send("DELETE", "/v1/orgs/globex", Some(json!({ "confirm_slug": "globex" })))
                    .await
                    .expect(204),
            ),
        }
        // Restoring the cause does not restore the impersonation, and the end is recorded once.
        target.get("/v1/me").await.problem(401, "impersonation_ended");
        let id = started["impersonation"]["id"].as_str().expect("id is a string");
        assert_eq!(
            t.events(&format!("action=impersonation.ended&target={id}")).await.len(),
            1,
            "one impersonation.ended event after {cause}"
        );
    }
    assert_eq!(
        t.db.count("SELECT count(*) FROM impersonation WHERE ended_at IS NULL").await,
        0,
        "every impersonation has ended"
    );
}

async fn impersonation_is_checked_against_current_rows(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "member@acme.example", "acme", "full").await;
    target.get("/v1/me").await.expect(200);
    for (change, undo) in [
        (
            "UPDATE \"user\" SET suspended_at = created_at WHERE email = 'member@acme.example'",
            "UPDATE \"user\" SET suspended_at = NULL",
        ),
        (
            "UPDATE \"user\" SET suspended_at = created_at WHERE email = 'support@postern.example'",
            "UPDATE \"user\" SET suspended_at = NULL",
        ),
        (
            "UPDATE organization SET deletion_requested_at = created_at",
            "UPDATE organization SET deletion_requested_at = NULL",
        ),
        (
            "INSERT INTO staff (user_id, tier, since) SELECT id, 'support', created_at FROM \
             \"user\" WHERE email = 'member@acme.example'",
            "DELETE FROM staff WHERE user_id IN (SELECT id FROM \"user\" WHERE email = \
             'member@acme.example')",
        ),
    ] {
        t.run_sql(change).await;
        target.get("/v1/me").await.problem(401, "impersonation_ended");
        t.run_sql(undo).await;
    }
}

fn wanted(target: &str, org: &str) -> Value {
    json!({
        "target_user_id": target,
        "org": org,
        "reason": "cannot open the reports page",
        "ticket_ref": "SUP-1",
    })
}

async fn staff_and_suspended_users_cannot_be_impersonated(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let start = |body: Value| support.post("/v1/admin/impersonations", body);
    // The demo has no staff in orgs: add all staff to acme.
    t.run_sql(
        "INSERT INTO membership (org_id, id, user_id, role, created_at) SELECT o.id, u.id, u.id, \
         'viewer', u.created_at FROM organization o, \"user\" u WHERE o.slug = 'acme' AND u.email \
         LIKE '%@postern.example'",
    )
    .await;
    let (support_id, engineer_id) =
        (t.user_id("support@postern.example").await, t.user_id("eng@postern.example").await);
    start(wanted(&support_id, "acme")).await.problem(403, "cannot_impersonate");
    start(wanted(&engineer_id, "acme")).await.problem(403, "cannot_impersonate");
    let member = t.user_id("member@acme.example").await;
    t.run_sql("UPDATE \"user\" SET suspended_at = created_at WHERE email = 'member@acme.example'")
        .await;
    start(wanted(&member, "acme")).await.problem(403, "cannot_impersonate");
    let ana = t.user_id("owner@acme.example").await;
    start(wanted(&ana, "globex")).await.problem(404, "not_found");
    start(wanted(&ana, "nowhere")).await.problem(404, "not_found");
    start(wanted("user_01k7fgpr00e00800000000000g", "acme")).await.problem(404, "not_found");
    t.sign_in("owner@acme.example")
        .await
        .post("/v1/admin/impersonations", wanted(&member, "acme"))
        .await
        .problem(403, "permission_denied");
    assert_eq!(t.recorded("impersonation.started").await, 0, "no impersonation is started");
    assert_eq!(
        t.recorded("permission.denied").await,
        4,
        "three denied starts and the start without permission are recorded"
    );
}

async fn reason_and_ticket_are_required(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let ana = t.user_id("owner@acme.example").await;
    let ten_thousand = "x".repeat(10_000);
    for (field, invalid) in [
        ("reason", "too short"),
        ("reason", "                    "),
        ("reason", ten_thousand.as_str()),
        ("reason", "with a nul \u{0} in the middle"),
        ("ticket_ref", ""),
        ("ticket_ref", "SUP 1"),
        ("ticket_ref", ten_thousand.as_str()),
        ("mode", "forever"),
        ("target_user_id", "user_1"),
    ] {
        let mut body = wanted(&ana, "acme");
        body[field] = invalid.into();
        let answer =
            support.post("/v1/admin/impersonations", body).await.problem(422, "invalid_body");
        assert_eq!(
            answer.text("/errors/0/pointer"),
            format!("/{field}"),
            "{field} is rejected: {invalid}"
        );
    }
    for field in ["reason", "ticket_ref", "org", "target_user_id"] {
        let mut body = wanted(&ana, "acme");
        body.as_object_mut().expect("the JSON is an object").remove(field);
        support.post("/v1/admin/impersonations", body).await.problem(422, "invalid_body");
    }
}

async fn invalid_requests_are_recorded(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let request =
        ana.request("PATCH", "/v1/orgs/acme").header("content-type", "text/plain").body("x");
    Answer::of(request.send().await).await.problem(415, "unsupported_media_type");
    ana.patch("/v1/orgs/acme", json!({ "nonsense": true })).await.problem(422, "invalid_body");
    ana.get("/v1/orgs/acme/members?nonsense=1").await.problem(400, "invalid_query");
    assert_eq!(t.recorded("impersonation.request").await, 3, "each request is recorded");
}

async fn impersonation_is_limited_to_one_org(t: &App) {
    // Ana is a member of two orgs; the impersonation is for one of them.
    let ana = t.sign_in("owner@acme.example").await;
    ana.post("/v1/orgs", json!({ "name": "Second", "slug": "second" })).await.expect(201);
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let (second, random) =
        (target.get("/v1/orgs/second").await, target.get("/v1/orgs/nowhere").await);
    assert_eq!(
        second.problem(404, "not_found").without_request_id(),
        random.problem(404, "not_found").without_request_id(),
        "the response is the same as for a nonexistent org"
    );
    target.patch("/v1/orgs/second", json!({ "name": "Other" })).await.problem(404, "not_found");
    let orgs = target.get("/v1/orgs").await.expect(200).json;
    assert_eq!(
        orgs["data"].as_array().map(Vec::len),
        Some(1),
        "only the org of the impersonation is listed"
    );
    assert_eq!(
        target.get("/v1/me").await.expect(200).json["memberships"].as_array().map(Vec::len),
        Some(1),
        "only the membership of that org is returned"
    );
    target.get("/v1/me/permissions?org=second").await.problem(404, "not_found");
    target.get("/v1/me/permissions?org=acme").await.expect(200);
    let log = ana.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200).body;
    assert!(!log.contains("second"), "acme's log does not name the other org");
    assert_eq!(
        ana.get("/v1/orgs/second/audit-events").await.expect(200).json["data"]
            .as_array()
            .map(Vec::len),
        Some(1),
        "the other org's log has only its creation"
    );
}

async fn idempotency_key_starts_one_impersonation(t: &App) {
    let (support, other) =
        (t.sign_in("support@postern.example").await, t.sign_in("ops@postern.example").await);
    let ana = t.user_id("owner@acme.example").await;
    let start = |caller: &postern_tests::Person<'_>, key: &str, body: Value| {
        let request = caller
            .request("POST", "/v1/admin/impersonations")
            .header("idempotency-key", key)
            .json(&body);
        async move { Answer::of(request.send().await).await }
    };
    let without = support.request("POST", "/v1/admin/impersonations").json(&wanted(&ana, "acme"));
    Answer::of(without.send().await).await.problem(400, "idempotency_key_required");
    let first = start(&support, "k-1", wanted(&ana, "acme")).await.expect(201);
    let again = start(&support, "k-1", wanted(&ana, "acme")).await.expect(201);
    assert_eq!(again.body, first.body, "the second request returns the stored response");
    assert_eq!(
        again.header("location"),
        first.header("location"),
        "the second response has the same location"
    );
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        (String::new(), "true".to_owned()),
        "only the second response is marked as replayed"
    );
    start(&support, "k-1", wanted(&ana, "globex")).await.problem(422, "idempotency_key_reused");
    start(&other, "k-1", wanted(&ana, "acme")).await.expect(201);
    for invalid in ["", "with space", &"k".repeat(256)] {
        start(&support, invalid, wanted(&ana, "acme")).await.problem(400, "invalid_header");
    }
    assert_eq!(
        t.recorded("impersonation.started").await,
        2,
        "one impersonation per caller is started"
    );
    assert_eq!(
        t.db.count("SELECT count(*) FROM idempotency_key").await,
        2,
        "one key per caller is stored"
    );

    let concurrent = join_all((0..20).map(|_| start(&support, "k-2", wanted(&ana, "acme")))).await;
    assert!(
        concurrent.iter().all(|answer| answer.status == 201 || answer.status == 409),
        "each response is 201 or 409: {concurrent:?}"
    );
    assert!(
        concurrent.iter().filter(|answer| answer.status == 201).all(|answer| answer.body
            == concurrent
                .iter()
                .find(|answer| answer.status == 201)
                .expect("one response is successful")
                .body),
        "all successful responses are equal: {concurrent:?}"
    );
    assert_eq!(
        t.recorded("impersonation.started").await,
        3,
        "concurrent requests start one impersonation"
    );

    let mixed = join_all((0..20).map(|n| {
        start(
            if n % 2 == 0 { &support } else { &other },
            &format!("k-{}", 3 + n / 2),
            wanted(&ana, "acme"),
        )
    }))
    .await;
    assert!(
        mixed.iter().all(|answer| answer.status == 201),
        "keys of two callers do not collide: {mixed:?}"
    );
    let before = t.recorded("impersonation.started").await;

    t.clock.turn(TimeDelta::hours(24));
    let support = t.sign_in("support@postern.example").await;
    start(&support, "k-1", wanted(&ana, "acme")).await.expect(201);
    assert_eq!(
        t.recorded("impersonation.started").await,
        before + 1,
        "a key can be used again after 24 hours"
    );
}

async fn support_ends_own_and_engineering_any_impersonation(t: &App) {
    let (support, ops, eng) = (
        t.sign_in("support@postern.example").await,
        t.sign_in("ops@postern.example").await,
        t.sign_in("eng@postern.example").await,
    );
    let (_, first) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let (_, second) = t.impersonate(&ops, "owner@acme.example", "acme", "full").await;
    let path = |started: &Value| {
        format!(
            "/v1/admin/impersonations/{}",
            started["impersonation"]["id"].as_str().expect("id is a string")
        )
    };
    let listed = |answer: Answer| answer.expect(200).json["data"].as_array().map_or(0, Vec::len);
    assert_eq!(
        listed(support.get("/v1/admin/impersonations").await),
        1,
        "support lists its own impersonation"
    );
    assert_eq!(
        listed(eng.get("/v1/admin/impersonations").await),
        2,
        "engineering lists all impersonations"
    );
    ops.delete(&path(&first)).await.problem(403, "permission_denied");
    ops.delete(&path(&second)).await.expect(204);
    eng.delete(&path(&first)).await.expect(204);
    eng.delete("/v1/admin/impersonations/imp_01k7fgpr00e00800000000000g")
        .await
        .problem(404, "not_found");
}

async fn org_admin_lists_impersonations(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    t.impersonate(&support, "owner@acme.example", "acme", "read_only").await;
    let admin = t.sign_in("admin@acme.example").await;
    let impersonations = admin.get("/v1/orgs/acme/impersonations").await.expect(200).json;
    assert_eq!(
        impersonations["data"][0]["staff_email"], "support@postern.example",
        "the staff member is named"
    );
    assert_eq!(
        impersonations["data"][0]["target_email"], "owner@acme.example",
        "the target is named"
    );
    assert_eq!(
        impersonations["data"][0]["reason"], "cannot open the reports page",
        "the reason is given"
    );
    let globex = t.sign_in("admin@globex.example").await;
    assert_eq!(
        globex.get("/v1/orgs/globex/impersonations").await.expect(200).json["data"],
        json!([]),
        "another org's list is empty"
    );
    t.sign_in("member@acme.example")
        .await
        .get("/v1/orgs/acme/impersonations")
        .await
        .problem(403, "permission_denied");
}
