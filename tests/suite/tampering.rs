//! Somebody has the whole database in hand, and neither role nor trigger stops them: whatever they change is found out.

use postern_tests::{App, Backend, on_both};
use serde_json::{Value, json};

use crate::log::{acts, checkpoint, download, export, judged, judged_as_part, keys, kinds};

on_both![
    altered_log_fails_verification,
    truncated_or_rewritten_log_fails_verification,
    forged_removals_fail_verification,
    unauthenticated_queue_entries_are_rejected,
    damaged_log_is_quarantined,
    unreadable_event_is_named,
    database_rollback_loses_no_events,
];

/// Runs SQL as somebody whom neither role nor trigger stops.
async fn as_administrator(t: &App, sql: &str) {
    t.unaccounted();
    let sql = match t.backend {
        Backend::Sqlite => {
            let triggers =
                t.db.texts("SELECT name FROM sqlite_master WHERE type = 'trigger'").await;
            triggers.iter().fold(String::new(), |all, name| all + &format!("DROP TRIGGER {name}; "))
                + sql
        }
        Backend::Postgres | Backend::PgBouncer => {
            format!("SET session_replication_role = replica; {sql}; RESET session_replication_role")
        }
    };
    t.db.execute(&sql).await.expect(&sql);
}

/// Each kind of tampering that an administrator of the database can think of, and what is said of it.
async fn altered_log_fails_verification(t: &App) {
    let second = "(SELECT event_id FROM audit_leaf WHERE leaf_index = 2 AND org_id = (SELECT id FROM organization WHERE slug = 'acme'))";
    let acme = "(SELECT id FROM organization WHERE slug = 'acme')";
    let copied = "occurred_at, org_id, org_slug, actor_type, actor_id, actor_email, action, outcome, target_type, target_label, summary, metadata, \
                  schema_version, salts";
    let made_up = if t.backend == Backend::Sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
    for (tampering, kind) in [
        (
            format!("UPDATE audit_event SET summary = 'nothing happened' WHERE id = {second}"),
            "altered",
        ),
        (
            format!(
                "UPDATE audit_event SET actor_email = 'somebody@else.example' WHERE id = {second}"
            ),
            "altered",
        ),
        (
            format!(
                "UPDATE audit_event SET occurred_at = '2026-11-20 08:00:00+00:00' WHERE id = {second}"
            ),
            "altered",
        ),
        (format!("UPDATE audit_event SET action = 'org.created' WHERE id = {second}"), "altered"),
        (format!("DELETE FROM audit_event WHERE id = {second}"), "missing"),
        (
            format!(
                "INSERT INTO audit_event (id, {copied}) SELECT {made_up}, {copied} FROM audit_event WHERE id = {second}"
            ),
            "added",
        ),
        // The log itself: two entries change places.
        (
            format!(
                "UPDATE audit_leaf SET leaf_index = leaf_index + 1000 WHERE org_id = {acme} AND leaf_index IN (1, 2); \
                  UPDATE audit_leaf SET leaf_index = 1 WHERE org_id = {acme} AND leaf_index = 1002; \
                  UPDATE audit_leaf SET leaf_index = 2 WHERE org_id = {acme} AND leaf_index = 1001"
            ),
            "root",
        ),
        (format!("DELETE FROM audit_leaf WHERE org_id = {acme} AND leaf_index = 2"), "missing"),
        // Both the event and what the log has of it.
        (
            format!(
                "DELETE FROM audit_event WHERE id = {second}; DELETE FROM audit_leaf WHERE org_id = {acme} AND leaf_index = 2"
            ),
            "missing",
        ),
        (format!("DELETE FROM audit_event WHERE org_id = {acme}"), "missing"),
    ] {
        let fresh = App::start(t.backend, |_| {}).await;
        let owner = acts(&fresh).await;
        let named =
            owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200).json["data"]
                .as_array()
                .expect("a list")
                .iter()
                .find(|event| event["log"]["index"] == 2)
                .map(|event| event["id"].as_str().expect("an id").to_owned())
                .expect("is there");
        let keys = keys(&owner).await;
        as_administrator(&fresh, &tampering).await;
        let verdict = judged(&export(&owner).await, keys, &[]);
        assert!(kinds(&verdict).contains(&kind), "{tampering}: {verdict:?}");
        let told =
            verdict.faults.iter().map(|fault| fault.detail.as_str()).collect::<Vec<_>>().join("\n");
        assert!(
            ["added", "root"].contains(&kind) || told.contains(&named) || told.contains("entry 2"),
            "{tampering}: {told}"
        );
        fresh.finish().await;
    }
}

async fn truncated_or_rewritten_log_fails_verification(t: &App) {
    let owner = acts(t).await;
    let (kept, keys) = (checkpoint(&owner).await, keys(&owner).await);
    let acme = "(SELECT id FROM organization WHERE slug = 'acme')";
    // The last entries, with all that the log knew of them.
    let cut = format!(
        "DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE org_id = {acme} AND leaf_index >= 4); \
         DELETE FROM audit_leaf WHERE org_id = {acme} AND leaf_index >= 4; DELETE FROM audit_checkpoint WHERE org_id = {acme} AND size > 4"
    );
    as_administrator(t, &cut).await;
    let file = export(&owner).await;
    assert_eq!(
        kinds(&judged(&file, keys.clone(), &[])),
        Vec::<&str>::new(),
        "alone it is sound: nobody can tell"
    );
    assert_eq!(kinds(&judged(&file, keys.clone(), std::slice::from_ref(&kept))), ["truncated"]);
    // The log goes on, and grows beyond what was cut off.
    for n in 0..12 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("New {n}") })).await.expect(200);
    }
    t.sequence().await;
    let file = export(&owner).await;
    assert_eq!(kinds(&judged(&file, keys.clone(), &[])), Vec::<&str>::new());
    assert_eq!(kinds(&judged(&file, keys.clone(), std::slice::from_ref(&kept))), ["rewritten"]);
}

/// What an attacker with the whole database in hand tried, and got away with at first.
async fn forged_removals_fail_verification(t: &App) {
    let acme = "(SELECT id FROM organization WHERE slug = 'acme')";
    let second =
        format!("(SELECT event_id FROM audit_leaf WHERE leaf_index = 2 AND org_id = {acme})");
    let columns = "occurred_at, org_id, org_slug, actor_type, outcome, target_type, target_label, summary, schema_version, salts";
    let (id, hash) = if t.backend == Backend::Sqlite {
        ("randomblob(16)", "randomblob(32)")
    } else {
        ("gen_random_uuid()", "decode(repeat('00', 32), 'hex')")
    };
    for (tampering, kind) in [
        // Other words where something is said to have been erased.
        (
            format!(
                "UPDATE audit_event SET erased_fields = '{{\"summary\": \"ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=\"}}', summary = 'x' WHERE id = {second}"
            ),
            "altered",
        ),
        // Something blanked as if it had been erased.
        (
            format!(
                "UPDATE audit_event SET erased_fields = '{{\"reason\": \"ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=\"}}' WHERE id = {second}"
            ),
            "altered",
        ),
        // A notice of retention that nobody gave, at a place that is not yet.
        (
            format!(
                "INSERT INTO audit_event (id, {columns}, action, metadata) SELECT {id}, {columns}, 'audit.retention_applied', \
             '{{\"before\": \"2026-01-01T00:00:00Z\", \"events\": 1000, \"first_kept\": 1000}}' FROM audit_event WHERE id = {second}; \
             INSERT INTO audit_leaf (org_id, leaf_index, event_id, hash) SELECT org_id, 1000, id, {hash} FROM audit_event WHERE action = 'audit.retention_applied'; \
             DELETE FROM audit_event WHERE id = {second}"
            ),
            "missing",
        ),
    ] {
        let fresh = App::start(t.backend, |_| {}).await;
        let owner = acts(&fresh).await;
        let keys = keys(&owner).await;
        as_administrator(&fresh, &tampering).await;
        let verdict = judged(&export(&owner).await, keys, &[]);
        assert!(kinds(&verdict).contains(&kind), "{tampering}: {verdict:?}");
        fresh.finish().await;
    }
    // Another log's export passes for this one's with nobody.
    let owner = acts(t).await;
    let globex = t.sign_in("owner@globex.example").await;
    t.sequence().await;
    let theirs = download(&globex, "/v1/orgs/globex/audit-events", "application/x-ndjson")
        .await
        .expect(200)
        .body;
    let mine = keys(&owner).await;
    let (own, other) = (
        mine[0].name().to_owned(),
        theirs
            .split("\"origin\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("an origin")
            .to_owned(),
    );
    for file in
        [theirs.clone(), theirs.replace(&format!("\u{2014} {other} "), &format!("\u{2014} {own} "))]
    {
        assert!(
            kinds(&judged(&file, mine.clone(), &[checkpoint(&owner).await]))
                .contains(&"checkpoint")
        );
    }
    // A file that is made up altogether, but for the checkpoint: no hash of nobody knows what stands for the rest.
    let file = export(&owner).await;
    let (events, end) = (
        file.lines().take(3).collect::<Vec<_>>().join("\n"),
        file.lines().last().expect("an end").to_owned(),
    );
    let node = json!({ "node": { "level": 2, "index": 1, "hash": "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=" } });
    let node_beyond = json!({ "node": { "level": 62, "index": 0, "hash": "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=" } });
    let mut made_up: Value = serde_json::from_str(&end).expect("JSON");
    made_up["end"]["filter"] = json!({ "q": "x" });
    made_up["end"]["history"] = json!([]);
    for node in [node.to_string(), node_beyond.to_string()] {
        for events in [events.as_str(), ""] {
            made_up["end"]["events"] = events.lines().count().into();
            let verdict = judged_as_part(&format!("{events}\n{node}\n{made_up}"), mine.clone());
            assert!(
                kinds(&verdict).iter().any(|kind| ["root", "missing"].contains(kind)),
                "{verdict:?}"
            );
        }
    }
    for nonsense in [
        r#"{"lost":{"from":5,"to":0}}"#,
        r#"{"node":{"level":200,"index":1,"hash":""}}"#,
        r#"{"node":{"level":60,"index":18446744073709551615,"hash":""}}"#,
    ] {
        assert!(
            !judged(&format!("{nonsense}\n{end}"), mine.clone(), &[]).faults.is_empty(),
            "{nonsense}"
        );
    }
    // And nothing is built on a tree that nobody has signed.
    let zeros = if t.backend == Backend::Sqlite {
        "zeroblob(length(frontier))"
    } else {
        "decode(repeat('00', length(frontier)), 'hex')"
    };
    as_administrator(
        t,
        &format!("UPDATE audit_checkpoint SET frontier = {zeros} WHERE org_id = {acme}"),
    )
    .await;
    owner.patch("/v1/orgs/acme", json!({ "name": "On sand" })).await.expect(200);
    let mut sequencer =
        postern_persistence::sequencer::Sequencer::new(std::sync::Arc::clone(&t.state.store));
    let turn = sequencer
        .run_batch(&t.context())
        .await
        .expect("goes on")
        .expect("it is nobody else's turn");
    let [(Some(damaged), why)] = &turn.damaged[..] else { panic!("{turn:?}") };
    assert_eq!(damaged.uuid(), t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await);
    assert!(why.to_string().contains("not what was signed"), "{why}");
}

async fn damaged_log_is_quarantined(t: &App) {
    let (acme, globex) = (acts(t).await, t.sign_in("owner@globex.example").await);
    let org = "(SELECT id FROM organization WHERE slug = 'acme')";
    // Somebody has put an entry where the next belongs.
    let (id, hash) = if t.backend == Backend::Sqlite {
        ("randomblob(16)", "zeroblob(32)")
    } else {
        ("gen_random_uuid()", "decode(repeat('00', 32), 'hex')")
    };
    let put = format!(
        "INSERT INTO audit_leaf (org_id, leaf_index, event_id, hash) SELECT org_id, max(leaf_index) + 1, {id}, {hash} FROM audit_leaf WHERE org_id = {org} GROUP BY 1"
    );
    as_administrator(t, &put).await;
    acme.patch("/v1/orgs/acme", json!({ "name": "Held up" })).await.expect(200);
    globex.patch("/v1/orgs/globex", json!({ "name": "Going on" })).await.expect(200);
    let mut sequencer =
        postern_persistence::sequencer::Sequencer::new(std::sync::Arc::clone(&t.state.store));
    let turn = sequencer
        .run_batch(&t.context())
        .await
        .expect("goes on")
        .expect("it is nobody else's turn");
    assert_eq!(
        (turn.damaged.len(), sequencer.quarantined_count(), turn.events > 0),
        (1, 1, true),
        "{turn:?}"
    );
    assert_eq!(
        t.db.count("SELECT count(*) FROM audit_queue").await,
        1,
        "only what is recorded for the damaged log waits"
    );
    globex.patch("/v1/orgs/globex", json!({ "name": "Going on and on" })).await.expect(200);
    let turn = sequencer
        .run_batch(&t.context())
        .await
        .expect("goes on")
        .expect("it is nobody else's turn");
    assert_eq!((turn.damaged.len(), turn.events), (0, 1), "it is told once: {turn:?}");
    // Somebody mends it, and nothing has been lost.
    as_administrator(t, &format!("DELETE FROM audit_leaf WHERE org_id = {org} AND event_id NOT IN (SELECT id FROM audit_event)")).await;
    sequencer.retry_quarantined();
    let turn = sequencer
        .run_batch(&t.context())
        .await
        .expect("goes on")
        .expect("it is nobody else's turn");
    assert_eq!((turn.damaged.len(), turn.events), (0, 1), "{turn:?}");
    assert_eq!(judged(&export(&acme).await, keys(&acme).await, &[]).faults, []);
}

async fn unauthenticated_queue_entries_are_rejected(t: &App) {
    let owner = acts(t).await;
    let keys = keys(&owner).await;
    // An administrator makes up an event, and puts it into the queue as well.
    let (copied, made_up) = if t.backend == Backend::Sqlite {
        ("randomblob(16)", "zeroblob(32)")
    } else {
        ("gen_random_uuid()", "decode(repeat('00', 32), 'hex')")
    };
    let columns = "occurred_at, org_id, org_slug, actor_type, actor_id, actor_email, action, outcome, target_type, target_label, summary, \
                   metadata, schema_version, salts";
    let forged = format!(
        "INSERT INTO audit_event (id, {columns}) SELECT {copied}, {columns} FROM audit_event WHERE summary LIKE '%Acme 2%'; \
         INSERT INTO audit_queue (org_id, event_id, leaf, mac) \
         SELECT org_id, id, {made_up}, {made_up} FROM audit_event e WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.event_id = e.id)"
    );
    as_administrator(t, &forged).await;
    // And changes one that waits.
    owner.patch("/v1/orgs/acme", json!({ "name": "Waiting" })).await.expect(200);
    as_administrator(
        t,
        "UPDATE audit_event SET summary = 'nothing happened' WHERE summary LIKE '%Waiting%'",
    )
    .await;
    let turns = t.sequence().await;
    assert_eq!(turns.iter().map(|turn| turn.rejected.len()).sum::<usize>(), 1);
    assert_eq!(t.recorded("audit.entry_rejected").await, 1);
    t.sequence().await;
    let verdict = judged(&export(&owner).await, keys, &[]);
    let mut found = kinds(&verdict);
    found.sort_unstable();
    assert_eq!(found, ["added", "altered"], "{verdict:?}");
}

/// One word, or one hash, that no server has written: the rest is to be read and exported, and the verification names what was changed.
async fn unreadable_event_is_named(t: &App) {
    let owner = acts(t).await;
    let keys = keys(&owner).await;
    let listed = |json: &Value| json["data"].as_array().expect("a list").len();
    let before = owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200);
    let named = before.json["data"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|event| event["log"]["index"] == 2)
        .expect("is there")["id"]
        .clone();
    let second = "(SELECT event_id FROM audit_leaf WHERE leaf_index = 2 AND org_id = (SELECT id FROM organization WHERE slug = 'acme'))";
    as_administrator(t, &format!("UPDATE audit_event SET action = 'x' WHERE id = {second}")).await;
    let after = owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200);
    assert_eq!(listed(&after.json) + 1, listed(&before.json));
    owner
        .get(&format!("/v1/orgs/acme/audit-events/{}", named.as_str().expect("an id")))
        .await
        .problem(500, "internal");
    let verdict = judged(&export(&owner).await, keys.clone(), &[]);
    assert_eq!(kinds(&verdict), ["missing"]);
    assert!(verdict.faults[0].detail.contains(named.as_str().expect("an id")), "{verdict:?}");
    let part = "/v1/orgs/acme/audit-events?action=org.updated";
    let cut = if t.backend == Backend::Sqlite { "x'00'" } else { "'\\x00'::bytea" };
    as_administrator(
        t,
        &format!("UPDATE audit_leaf SET hash = {cut} WHERE leaf_index = 0 AND org_id = (SELECT id FROM organization WHERE slug = 'acme')"),
    )
    .await;
    let file = download(&owner, part, "application/x-ndjson").await.expect(200).body;
    assert!(!kinds(&judged_as_part(&file, keys)).is_empty());
}

/// A standby takes over that has not seen the last batches: what they had placed waits in the queue again, and is placed where it was.
async fn database_rollback_loses_no_events(t: &App) {
    let owner = acts(t).await;
    let mut sequencer =
        postern_persistence::sequencer::Sequencer::new(std::sync::Arc::clone(&t.state.store));
    let turn = async |sequencer: &mut postern_persistence::sequencer::Sequencer| {
        sequencer.run_batch(&t.context()).await.expect("works").expect("it is nobody else's turn")
    };
    owner.patch("/v1/orgs/acme", json!({ "name": "Before" })).await.expect(200);
    turn(&mut sequencer).await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Lost and found" })).await.expect(200);
    let tables = ["audit_queue", "audit_leaf", "audit_node", "audit_checkpoint"];
    for table in tables {
        t.db.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"))
            .await
            .expect("is kept");
    }
    turn(&mut sequencer).await;
    let back = tables.map(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"));
    as_administrator(t, &back.join("; ")).await;
    turn(&mut sequencer).await;
    assert_eq!(judged(&export(&owner).await, keys(&owner).await, &[]).faults, []);
}
