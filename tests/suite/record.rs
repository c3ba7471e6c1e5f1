//! The audit log: filters, paging, append-only rows, and one transaction for a change and its
//! event.

use postern_tests::{App, Backend, on_both};
use serde_json::json;

on_both![
    filters_are_combined_with_and,
    staff_read_own_or_all_events,
    audit_events_are_append_only,
    changes_fail_without_their_event,
    failed_changes_record_no_success,
    secrets_are_not_recorded,
    events_page_from_newest_to_oldest,
];

async fn filters_are_combined_with_and(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (target, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    target.patch("/v1/orgs/acme", json!({ "name": "Acme One" })).await.expect(200);
    t.clock.turn(chrono::TimeDelta::minutes(1));
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme Two" })).await.expect(200);
    let id = started["impersonation"]["id"].as_str().expect("id is a string");
    let staff =
        started["impersonation"]["staff_user_id"].as_str().expect("staff_user_id is a string");
    let count = |query: String| {
        let owner = &owner;
        async move {
            owner
                .get(&format!("/v1/orgs/acme/audit-events?limit=100&{query}"))
                .await
                .expect(200)
                .json["data"]
                .as_array()
                .map_or(0, Vec::len)
        }
    };
    for (query, expected) in [
        ("action=org.updated".to_owned(), 2),
        ("action=org.*".to_owned(), 3),
        ("action=org.updated&actor=support@postern.example".to_owned(), 1),
        (format!("action=org.updated&actor={staff}"), 1),
        ("action=org.updated&on_behalf_of=owner@acme.example".to_owned(), 1),
        (format!("impersonation={id}"), 2),
        ("ticket_ref=SUP-4312".to_owned(), 1),
        ("target=acme&action=org.updated".to_owned(), 2),
        ("outcome=denied".to_owned(), 0),
        ("q=acme two".to_owned(), 1),
        ("from=2026-11-20T09:01:00Z".to_owned(), 1),
        ("to=2026-11-20T09:01:00Z&action=org.updated".to_owned(), 1),
        ("ip=127.0.0.1&action=org.updated".to_owned(), 2),
        ("ip=203.0.113.9".to_owned(), 0),
    ] {
        assert_eq!(count(query.clone()).await, expected, "number of events for {query}");
    }
    for invalid in [
        "action=org",
        "action=*",
        "outcome=maybe",
        "from=yesterday",
        "from=-4714-01-01T00:00:00Z",
        "to=%2B262142-12-31T23:59:59Z",
        "ip=here",
        "impersonation=x",
        "color=red",
        "q=a&q=b",
        "q=%00",
    ] {
        owner
            .get(&format!("/v1/orgs/acme/audit-events?{invalid}"))
            .await
            .problem(400, "invalid_query");
    }
    let event = owner
        .get("/v1/orgs/acme/audit-events?action=org.updated")
        .await
        .expect(200)
        .text("/data/0/id");
    assert_eq!(
        owner.get(&format!("/v1/orgs/acme/audit-events/{event}")).await.expect(200).text("/id"),
        event,
        "the event is returned by its id"
    );
    let other = t.sign_in("owner@globex.example").await;
    other.get(&format!("/v1/orgs/globex/audit-events/{event}")).await.problem(404, "not_found");
    assert_eq!(
        other
            .get(&format!("/v1/orgs/globex/audit-events?impersonation={id}"))
            .await
            .expect(200)
            .json["data"],
        json!([]),
        "another org's log has no event of the impersonation"
    );
}

async fn staff_read_own_or_all_events(t: &App) {
    let (support, eng) =
        (t.sign_in("support@postern.example").await, t.sign_in("eng@postern.example").await);
    t.sign_in("ops@postern.example").await;
    let support_events = support.get("/v1/admin/audit-events").await.expect(200).json;
    assert!(
        support_events["data"]
            .as_array()
            .expect("data is an array")
            .iter()
            .all(|event| event["actor"]["email"] == "support@postern.example"),
        "support reads only its own events"
    );
    let of_others = "/v1/admin/audit-events?actor=ops@postern.example";
    assert_eq!(
        support.get(of_others).await.expect(200).json["data"],
        json!([]),
        "support reads no events of others"
    );
    assert_ne!(
        eng.get(of_others).await.expect(200).json["data"],
        json!([]),
        "engineering reads events of others"
    );
    t.sign_in("owner@acme.example")
        .await
        .get("/v1/admin/audit-events")
        .await
        .problem(403, "permission_denied");
}

async fn audit_events_are_append_only(t: &App) {
    let before = t.db.count("SELECT count(*) FROM audit_event").await;
    let replace = "INSERT OR REPLACE INTO audit_event (id, occurred_at, actor_type, action, \
                   outcome, target_type, target_label, summary, metadata, schema_version) SELECT \
                   id, occurred_at, actor_type, 'forged', outcome, target_type, target_label, \
                   summary, metadata, schema_version FROM audit_event";
    let on_both_databases =
        ["UPDATE audit_event SET summary = 'forged'", "DELETE FROM audit_event"];
    let on_this_database: &[&str] = match t.backend {
        Backend::Sqlite => &[replace],
        Backend::Postgres | Backend::PgBouncer => {
            &["TRUNCATE audit_event", "TRUNCATE audit_event CASCADE"]
        }
    };
    for sql in on_both_databases.iter().chain(on_this_database) {
        let refused = t.db.execute(sql).await.expect_err(sql);
        assert!(refused.to_string().contains("append-only"), "{sql} fails: {refused}");
    }
    assert_eq!(t.db.count("SELECT count(*) FROM audit_event").await, before, "no event is removed");
    assert_eq!(
        t.db.count(
            "SELECT count(*) FROM audit_event WHERE summary = 'forged' OR action = 'forged'"
        )
        .await,
        0,
        "no event is changed"
    );
    t.sign_in("owner@acme.example")
        .await
        .delete("/v1/orgs/acme/audit-events")
        .await
        .problem(405, "method_not_allowed");
}

async fn changes_fail_without_their_event(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let member = t.member_id("acme", "viewer@acme.example").await;
    let path = format!("/v1/orgs/acme/members/{member}");
    let failing_trigger = match t.backend {
        Backend::Sqlite => {
            "CREATE TRIGGER no_more BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'the \
             disk is full'); END"
        }
        Backend::Postgres | Backend::PgBouncer => {
            "CREATE FUNCTION no_more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE \
             EXCEPTION 'the disk is full'; END $$; CREATE TRIGGER no_more BEFORE INSERT ON \
             audit_event FOR EACH ROW EXECUTE FUNCTION no_more()"
        }
    };
    t.db.execute(failing_trigger).await.expect("the trigger is created");
    let state = "SELECT (SELECT count(*) FROM membership WHERE role = 'viewer') * 1000 + (SELECT \
                 count(*) FROM organization) * 100 + (SELECT count(*) FROM session) + (SELECT \
                 count(*) FROM session WHERE ended_at IS NULL)";
    let before = t.db.count(state).await;
    owner.patch(&path, json!({ "role": "member" })).await.problem(503, "unavailable");
    owner.delete(&path).await.problem(503, "unavailable");
    owner
        .post("/v1/orgs", json!({ "name": "New", "slug": "new-one" }))
        .await
        .problem(503, "unavailable");
    owner.post("/v1/auth/logout", json!({})).await.problem(503, "unavailable");
    t.log_in("owner@acme.example", postern_tests::PASSWORD).await.problem(503, "unavailable");
    owner.get("/v1/orgs/globex").await.problem(503, "unavailable");
    assert_eq!(t.db.count(state).await, before, "no row has changed");
    owner.get(&path).await.expect(200);
    let drop_trigger = if t.backend == Backend::Sqlite {
        "DROP TRIGGER no_more"
    } else {
        "DROP TRIGGER no_more ON audit_event"
    };
    t.db.execute(drop_trigger).await.expect("the trigger is dropped");
    owner.patch(&path, json!({ "role": "member" })).await.expect(200);
}

async fn failed_changes_record_no_success(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let failing_trigger = match t.backend {
        Backend::Sqlite => {
            "CREATE TRIGGER no_more BEFORE UPDATE ON organization BEGIN SELECT RAISE(ABORT, \
             'broken'); END"
        }
        Backend::Postgres | Backend::PgBouncer => {
            "CREATE FUNCTION no_more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE \
             EXCEPTION 'broken'; END $$; CREATE TRIGGER no_more BEFORE UPDATE ON organization FOR \
             EACH ROW EXECUTE FUNCTION no_more()"
        }
    };
    t.db.execute(failing_trigger).await.expect("the trigger is created");
    owner.patch("/v1/orgs/acme", json!({ "name": "Other" })).await.problem(503, "unavailable");
    owner
        .post("/v1/orgs", json!({ "name": "Other", "slug": "globex" }))
        .await
        .problem(409, "slug_taken");
    assert_eq!(t.recorded("org.updated").await, 0, "the failed update is not recorded");
    assert_eq!(
        t.recorded("org.created").await,
        3,
        "the failed creation is not recorded: only the demo's 3 orgs are"
    );
}

async fn secrets_are_not_recorded(t: &App) {
    let marker = "S3cr3t-marker-of-four-words";
    t.log_in("owner@acme.example", marker).await.problem(401, "invalid_credentials");
    let me = t.sign_in("member@acme.example").await;
    me.post(
        "/v1/me/password",
        json!({ "current_password": marker, "new_password": "fine new words here" }),
    )
    .await
    .problem(403, "wrong_password");
    me.post(
        "/v1/me/password",
        json!({ "current_password": postern_tests::PASSWORD, "new_password": marker }),
    )
    .await
    .expect(204);
    let signed_in = t.log_in("member@acme.example", marker).await.expect(200);
    let support = t.sign_in("support@postern.example").await;
    let (target, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    target.get(&format!("/v1/me?token={marker}")).await.problem(400, "invalid_query");
    let text = if t.backend == Backend::Sqlite { "metadata" } else { "metadata::text" };
    let columns = format!(
        "summary || ' ' || target_label || ' ' || {text} || ' ' || coalesce(user_agent, '') || ' ' \
         || coalesce(reason, '')"
    );
    let log = t.db.texts(&format!("SELECT {columns} FROM audit_event")).await.join("\n");
    let tokens = [
        signed_in.text("/access_token"),
        signed_in.text("/refresh_token"),
        started["access_token"].as_str().expect("access_token is a string").to_owned(),
    ];
    for secret in
        tokens.iter().map(String::as_str).chain([marker, postern_tests::PASSWORD, "$argon2"])
    {
        assert!(!log.contains(secret), "the audit log does not contain {secret}");
    }
    let answers =
        if t.backend == Backend::Sqlite { "hex(answer)" } else { "encode(answer, 'hex')" };
    let stored =
        t.db.texts(&format!("SELECT {answers} FROM idempotency_key")).await.concat().to_lowercase();
    assert!(
        !stored.is_empty() && !stored.contains("6163636573735f746f6b656e"),
        "stored responses are encrypted: they do not contain `access_token`"
    );
}

async fn events_page_from_newest_to_oldest(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for n in 0..7 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("Acme {n}") })).await.expect(200);
    }
    let (mut ids, mut path) =
        (Vec::new(), "/v1/orgs/acme/audit-events?action=org.updated&limit=3".to_owned());
    loop {
        let page = owner.get(&path).await.expect(200);
        ids.extend(
            page.json["data"]
                .as_array()
                .expect("data is an array")
                .iter()
                .map(|event| event["id"].to_string()),
        );
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        path = format!("/v1/orgs/acme/audit-events?action=org.updated&limit=3&cursor={cursor}");
    }
    assert_eq!(ids.len(), 7, "all 7 events are listed");
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "each event appears once, newest first");
    // `prev_cursor` leads back over the same events.
    let mut back = Vec::new();
    let mut page = owner.get(&path).await.expect(200).json;
    loop {
        let mut rows: Vec<String> = page["data"]
            .as_array()
            .expect("data is an array")
            .iter()
            .map(|event| event["id"].to_string())
            .collect();
        rows.append(&mut back);
        back = rows;
        let Some(cursor) = page["prev_cursor"].as_str() else { break };
        page = owner
            .get(&format!("/v1/orgs/acme/audit-events?action=org.updated&limit=3&cursor={cursor}"))
            .await
            .expect(200)
            .json;
    }
    assert_eq!(back, ids, "paging back returns the same events");
}
