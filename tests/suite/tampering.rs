//! Tampering by an administrator with full access to the database: verification detects each
//! change.

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

/// Runs SQL with triggers disabled, as an administrator of the database can.
async fn as_administrator(t: &App, sql: &str) {
    t.skip_invariants();
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

/// Tampering statements, each with the kind of fault that verification reports.
async fn altered_log_fails_verification(t: &App) {
    let second = "(SELECT event_id FROM audit_leaf WHERE leaf_index = 2 AND org_id = (SELECT id \
                  FROM organization WHERE slug = 'acme'))";
    let acme = "(SELECT id FROM organization WHERE slug = 'acme')";
    let copied = "occurred_at, org_id, org_slug, actor_type, actor_id, actor_email, action, \
                  outcome, target_type, target_label, summary, metadata, schema_version, salts";
    let new_id = if t.backend == Backend::Sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
    for (tampering, kind) in [
        (
            format!("UPDATE audit_event SET summary = 'nothing happened' WHERE id = {second}"),
            "altered",
        ),
        (
            format!(
                "UPDATE audit_event SET actor_email = 'other@acme.example' WHERE id = {second}"
            ),
            "altered",
        ),
        (
            format!(
                "UPDATE audit_event SET occurred_at = '2026-11-20 08:00:00+00:00' WHERE id = \
                 {second}"
            ),
            "altered",
        ),
        (format!("UPDATE audit_event SET action = 'org.created' WHERE id = {second}"), "altered"),
        (format!("DELETE FROM audit_event WHERE id = {second}"), "missing"),
        (
            format!(
                "INSERT INTO audit_event (id, {copied}) SELECT {new_id}, {copied} FROM audit_event \
                 WHERE id = {second}"
            ),
            "added",
        ),
        // Swaps two leaves.
        (
            format!(
                "UPDATE audit_leaf SET leaf_index = leaf_index + 1000 WHERE org_id = {acme} AND \
                 leaf_index IN (1, 2); UPDATE audit_leaf SET leaf_index = 1 WHERE org_id = {acme} \
                 AND leaf_index = 1002; UPDATE audit_leaf SET leaf_index = 2 WHERE org_id = {acme} \
                 AND leaf_index = 1001"
            ),
            "root",
        ),
        (format!("DELETE FROM audit_leaf WHERE org_id = {acme} AND leaf_index = 2"), "missing"),
        // Removes the event and its leaf.
        (
            format!(
                "DELETE FROM audit_event WHERE id = {second}; DELETE FROM audit_leaf WHERE org_id \
                 = {acme} AND leaf_index = 2"
            ),
            "missing",
        ),
        (format!("DELETE FROM audit_event WHERE org_id = {acme}"), "missing"),
    ] {
        let fresh = App::start(t.backend, |_| {}).await;
        let owner = acts(&fresh).await;
        let event_id =
            owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200).json["data"]
                .as_array()
                .expect("data is an array")
                .iter()
                .find(|event| event["log"]["index"] == 2)
                .map(|event| event["id"].as_str().expect("id is a string").to_owned())
                .expect("an event has index 2");
        let keys = keys(&owner).await;
        as_administrator(&fresh, &tampering).await;
        let report = judged(&export(&owner).await, keys, &[]);
        assert!(kinds(&report).contains(&kind), "{tampering} causes the fault {kind}: {report:?}");
        let faults =
            report.faults.iter().map(|fault| fault.detail.as_str()).collect::<Vec<_>>().join("\n");
        assert!(
            ["added", "root"].contains(&kind)
                || faults.contains(&event_id)
                || faults.contains("entry 2"),
            "{tampering}: a fault names the event or its index: {faults}"
        );
        fresh.finish().await;
    }
}

async fn truncated_or_rewritten_log_fails_verification(t: &App) {
    let owner = acts(t).await;
    let (kept, keys) = (checkpoint(&owner).await, keys(&owner).await);
    let acme = "(SELECT id FROM organization WHERE slug = 'acme')";
    // Removes the last entries with their events, leaves and checkpoints.
    let truncate = format!(
        "DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE org_id = \
         {acme} AND leaf_index >= 4); DELETE FROM audit_leaf WHERE org_id = {acme} AND leaf_index \
         >= 4; DELETE FROM audit_checkpoint WHERE org_id = {acme} AND size > 4"
    );
    as_administrator(t, &truncate).await;
    let file = export(&owner).await;
    assert_eq!(
        kinds(&judged(&file, keys.clone(), &[])),
        Vec::<&str>::new(),
        "without an earlier checkpoint the truncation is not detectable"
    );
    assert_eq!(
        kinds(&judged(&file, keys.clone(), std::slice::from_ref(&kept))),
        ["truncated"],
        "with the kept checkpoint the truncation is detected"
    );
    // The log grows beyond the size of the kept checkpoint.
    for n in 0..12 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("New {n}") })).await.expect(200);
    }
    t.sequence().await;
    let file = export(&owner).await;
    assert_eq!(
        kinds(&judged(&file, keys.clone(), &[])),
        Vec::<&str>::new(),
        "without an earlier checkpoint the rewritten log verifies"
    );
    assert_eq!(
        kinds(&judged(&file, keys.clone(), std::slice::from_ref(&kept))),
        ["rewritten"],
        "with the kept checkpoint the rewrite is detected"
    );
}

/// Forged erasures, retention events, exports and checkpoints.
async fn forged_removals_fail_verification(t: &App) {
    let acme = "(SELECT id FROM organization WHERE slug = 'acme')";
    let second =
        format!("(SELECT event_id FROM audit_leaf WHERE leaf_index = 2 AND org_id = {acme})");
    let columns = "occurred_at, org_id, org_slug, actor_type, outcome, target_type, target_label, \
                   summary, schema_version, salts";
    let (id, hash) = if t.backend == Backend::Sqlite {
        ("randomblob(16)", "randomblob(32)")
    } else {
        ("gen_random_uuid()", "decode(repeat('00', 32), 'hex')")
    };
    for (tampering, kind) in [
        // Replaces an erased field with another text.
        (
            format!(
                "UPDATE audit_event SET erased_fields = '{{\"summary\": \
                 \"ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=\"}}', summary = 'x' WHERE id = \
                 {second}"
            ),
            "altered",
        ),
        // Marks a field as erased without an erasure.
        (
            format!(
                "UPDATE audit_event SET erased_fields = '{{\"reason\": \
                 \"ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=\"}}' WHERE id = {second}"
            ),
            "altered",
        ),
        // Forges a retention event at an index beyond the end of the log.
        (
            format!(
                "INSERT INTO audit_event (id, {columns}, action, metadata) SELECT {id}, {columns}, \
                 'audit.retention_applied', '{{\"before\": \"2026-01-01T00:00:00Z\", \"events\": \
                 1000, \"first_kept\": 1000}}' FROM audit_event WHERE id = {second}; INSERT INTO \
                 audit_leaf (org_id, leaf_index, event_id, hash) SELECT org_id, 1000, id, {hash} \
                 FROM audit_event WHERE action = 'audit.retention_applied'; DELETE FROM \
                 audit_event WHERE id = {second}"
            ),
            "missing",
        ),
    ] {
        let fresh = App::start(t.backend, |_| {}).await;
        let owner = acts(&fresh).await;
        let keys = keys(&owner).await;
        as_administrator(&fresh, &tampering).await;
        let report = judged(&export(&owner).await, keys, &[]);
        assert!(kinds(&report).contains(&kind), "{tampering} causes the fault {kind}: {report:?}");
        fresh.finish().await;
    }
    // An export of another log does not verify as acme's.
    let owner = acts(t).await;
    let globex = t.sign_in("owner@globex.example").await;
    t.sequence().await;
    let globex_export = download(&globex, "/v1/orgs/globex/audit-events", "application/x-ndjson")
        .await
        .expect(200)
        .body;
    let acme_keys = keys(&owner).await;
    let (acme_name, globex_name) = (
        acme_keys[0].name().to_owned(),
        globex_export
            .split("\"origin\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("the export has an origin")
            .to_owned(),
    );
    for file in [
        globex_export.clone(),
        globex_export
            .replace(&format!("\u{2014} {globex_name} "), &format!("\u{2014} {acme_name} ")),
    ] {
        assert!(
            kinds(&judged(&file, acme_keys.clone(), &[checkpoint(&owner).await]))
                .contains(&"checkpoint"),
            "the checkpoint of another log does not verify"
        );
    }
    // A forged file with a real checkpoint: node hashes without events do not give the signed root.
    let file = export(&owner).await;
    let (events, end) = (
        file.lines().take(3).collect::<Vec<_>>().join("\n"),
        file.lines().last().expect("the export has lines").to_owned(),
    );
    let hash = "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=";
    let node = json!({ "node": { "level": 2, "index": 1, "hash": hash } });
    let node_beyond = json!({ "node": { "level": 62, "index": 0, "hash": hash } });
    let mut forged_end: Value = serde_json::from_str(&end).expect("the text is valid JSON");
    forged_end["end"]["filter"] = json!({ "q": "x" });
    forged_end["end"]["history"] = json!([]);
    for node in [node.to_string(), node_beyond.to_string()] {
        for events in [events.as_str(), ""] {
            forged_end["end"]["events"] = events.lines().count().into();
            let report =
                judged_as_part(&format!("{events}\n{node}\n{forged_end}"), acme_keys.clone());
            assert!(
                kinds(&report).iter().any(|kind| ["root", "missing"].contains(kind)),
                "the node hashes do not give the signed root: {report:?}"
            );
        }
    }
    for nonsense in [
        r#"{"lost":{"from":5,"to":0}}"#,
        r#"{"node":{"level":200,"index":1,"hash":""}}"#,
        r#"{"node":{"level":60,"index":18446744073709551615,"hash":""}}"#,
    ] {
        assert!(
            !judged(&format!("{nonsense}\n{end}"), acme_keys.clone(), &[]).faults.is_empty(),
            "{nonsense} causes a fault"
        );
    }
    // The sequencer does not append to a tree that differs from the signed checkpoint.
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
    owner.patch("/v1/orgs/acme", json!({ "name": "Not appended" })).await.expect(200);
    let mut sequencer =
        postern_persistence::sequencer::Sequencer::new(std::sync::Arc::clone(&t.state.store));
    let batch = sequencer
        .run_batch(&t.context())
        .await
        .expect("the sequencer runs")
        .expect("no other sequencer holds the lock");
    let [(Some(damaged), reason)] = &batch.damaged[..] else {
        panic!("one damaged log is reported: {batch:?}")
    };
    assert_eq!(
        damaged.uuid(),
        t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await,
        "acme's log is damaged"
    );
    assert!(
        reason.to_string().contains("does not match its signature"),
        "the cause is a checkpoint without a matching signature: {reason}"
    );
}

async fn damaged_log_is_quarantined(t: &App) {
    let (acme, globex) = (acts(t).await, t.sign_in("owner@globex.example").await);
    let org = "(SELECT id FROM organization WHERE slug = 'acme')";
    // A forged leaf occupies the next index.
    let (id, hash) = if t.backend == Backend::Sqlite {
        ("randomblob(16)", "zeroblob(32)")
    } else {
        ("gen_random_uuid()", "decode(repeat('00', 32), 'hex')")
    };
    let insert_leaf = format!(
        "INSERT INTO audit_leaf (org_id, leaf_index, event_id, hash) SELECT org_id, \
         max(leaf_index) + 1, {id}, {hash} FROM audit_leaf WHERE org_id = {org} GROUP BY 1"
    );
    as_administrator(t, &insert_leaf).await;
    acme.patch("/v1/orgs/acme", json!({ "name": "Pending" })).await.expect(200);
    globex.patch("/v1/orgs/globex", json!({ "name": "Sequenced" })).await.expect(200);
    let mut sequencer =
        postern_persistence::sequencer::Sequencer::new(std::sync::Arc::clone(&t.state.store));
    let batch = sequencer
        .run_batch(&t.context())
        .await
        .expect("the sequencer runs")
        .expect("no other sequencer holds the lock");
    assert_eq!(
        (batch.damaged.len(), sequencer.quarantined_count(), batch.events > 0),
        (1, 1, true),
        "one log is quarantined, and others continue: {batch:?}"
    );
    assert_eq!(
        t.db.count("SELECT count(*) FROM audit_queue").await,
        1,
        "only the event of the damaged log is pending"
    );
    globex.patch("/v1/orgs/globex", json!({ "name": "Sequenced again" })).await.expect(200);
    let batch = sequencer
        .run_batch(&t.context())
        .await
        .expect("the sequencer runs")
        .expect("no other sequencer holds the lock");
    assert_eq!(
        (batch.damaged.len(), batch.events),
        (0, 1),
        "the damaged log is reported once: {batch:?}"
    );
    // After a repair no event is lost.
    as_administrator(
        t,
        &format!(
            "DELETE FROM audit_leaf WHERE org_id = {org} AND event_id NOT IN (SELECT id FROM \
             audit_event)"
        ),
    )
    .await;
    sequencer.retry_quarantined();
    let batch = sequencer
        .run_batch(&t.context())
        .await
        .expect("the sequencer runs")
        .expect("no other sequencer holds the lock");
    assert_eq!(
        (batch.damaged.len(), batch.events),
        (0, 1),
        "the repaired log continues: {batch:?}"
    );
    assert_eq!(
        judged(&export(&acme).await, keys(&acme).await, &[]).faults,
        [],
        "the repaired log verifies"
    );
}

async fn unauthenticated_queue_entries_are_rejected(t: &App) {
    let owner = acts(t).await;
    let keys = keys(&owner).await;
    // An administrator forges an event and a queue entry for it.
    let (new_id, forged_bytes) = if t.backend == Backend::Sqlite {
        ("randomblob(16)", "zeroblob(32)")
    } else {
        ("gen_random_uuid()", "decode(repeat('00', 32), 'hex')")
    };
    let columns = "occurred_at, org_id, org_slug, actor_type, actor_id, actor_email, action, \
                   outcome, target_type, target_label, summary, metadata, schema_version, salts";
    let forged = format!(
        "INSERT INTO audit_event (id, {columns}) SELECT {new_id}, {columns} FROM audit_event WHERE \
         summary LIKE '%Acme 2%'; INSERT INTO audit_queue (org_id, event_id, leaf, mac) SELECT \
         org_id, id, {forged_bytes}, {forged_bytes} FROM audit_event e WHERE NOT EXISTS (SELECT 1 \
         FROM audit_leaf l WHERE l.event_id = e.id)"
    );
    as_administrator(t, &forged).await;
    // And changes a pending event.
    owner.patch("/v1/orgs/acme", json!({ "name": "Waiting" })).await.expect(200);
    as_administrator(
        t,
        "UPDATE audit_event SET summary = 'nothing happened' WHERE summary LIKE '%Waiting%'",
    )
    .await;
    let batches = t.sequence().await;
    assert_eq!(
        batches.iter().map(|batch| batch.rejected.len()).sum::<usize>(),
        1,
        "one entry is rejected"
    );
    assert_eq!(t.recorded("audit.entry_rejected").await, 1, "the rejection is recorded");
    t.sequence().await;
    let report = judged(&export(&owner).await, keys, &[]);
    let mut fault_kinds = kinds(&report);
    fault_kinds.sort_unstable();
    assert_eq!(
        fault_kinds,
        ["added", "altered"],
        "the forged event and the changed event are reported: {report:?}"
    );
}

/// An event or leaf with an unreadable value: other events can still be read and exported, and
/// verification names the changed one.
async fn unreadable_event_is_named(t: &App) {
    let owner = acts(t).await;
    let keys = keys(&owner).await;
    let event_count = |json: &Value| json["data"].as_array().expect("data is an array").len();
    let before = owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200);
    let event_id = before.json["data"]
        .as_array()
        .expect("data is an array")
        .iter()
        .find(|event| event["log"]["index"] == 2)
        .expect("an event has index 2")["id"]
        .clone();
    let second_event = "(SELECT event_id FROM audit_leaf WHERE leaf_index = 2 AND org_id = (SELECT \
        id FROM organization WHERE slug = 'acme'))";
    as_administrator(t, &format!("UPDATE audit_event SET action = 'x' WHERE id = {second_event}"))
        .await;
    let after = owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200);
    assert_eq!(
        event_count(&after.json) + 1,
        event_count(&before.json),
        "only the unreadable event is not listed"
    );
    owner
        .get(&format!("/v1/orgs/acme/audit-events/{}", event_id.as_str().expect("id is a string")))
        .await
        .problem(500, "internal");
    let report = judged(&export(&owner).await, keys.clone(), &[]);
    assert_eq!(kinds(&report), ["missing"], "the unreadable event is missing");
    assert!(
        report.faults[0].detail.contains(event_id.as_str().expect("id is a string")),
        "the fault names the event: {report:?}"
    );
    let filtered = "/v1/orgs/acme/audit-events?action=org.updated";
    let one_byte = if t.backend == Backend::Sqlite { "x'00'" } else { "'\\x00'::bytea" };
    as_administrator(
        t,
        &format!(
            "UPDATE audit_leaf SET hash = {one_byte} WHERE leaf_index = 0 AND org_id = (SELECT id \
             FROM organization WHERE slug = 'acme')"
        ),
    )
    .await;
    let file = download(&owner, filtered, "application/x-ndjson").await.expect(200).body;
    assert!(!kinds(&judged_as_part(&file, keys)).is_empty(), "the changed leaf causes a fault");
}

/// Failover to a standby without the last batches: their events are pending again and get the same
/// index.
async fn database_rollback_loses_no_events(t: &App) {
    let owner = acts(t).await;
    let mut sequencer =
        postern_persistence::sequencer::Sequencer::new(std::sync::Arc::clone(&t.state.store));
    let run_batch = async |sequencer: &mut postern_persistence::sequencer::Sequencer| {
        sequencer
            .run_batch(&t.context())
            .await
            .expect("the sequencer runs")
            .expect("no other sequencer holds the lock")
    };
    owner.patch("/v1/orgs/acme", json!({ "name": "Before" })).await.expect(200);
    run_batch(&mut sequencer).await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Rolled back" })).await.expect(200);
    let tables = ["audit_queue", "audit_leaf", "audit_node", "audit_checkpoint"];
    for table in tables {
        t.db.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"))
            .await
            .expect("the table is copied");
    }
    run_batch(&mut sequencer).await;
    let restore = tables.map(|table| {
        format!(
            "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE \
             kept_{table}"
        )
    });
    as_administrator(t, &restore.join("; ")).await;
    run_batch(&mut sequencer).await;
    assert_eq!(
        judged(&export(&owner).await, keys(&owner).await, &[]).faults,
        [],
        "the log verifies"
    );
}
