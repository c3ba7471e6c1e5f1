//! Changed, removed, added and reordered events and leaves.

use postern_tests::{App, on_both};

use super::{ACME, COPIED_COLUMNS, EVENT_2, new_id, run_as_administrator};
use crate::audit::{export, fault_kinds, keys, record_actions, verify};

on_both![changed_events_fail_verification, changed_leaves_fail_verification];

async fn changed_events_fail_verification(t: &App) {
    let copy = format!(
        "INSERT INTO audit_event (id, {COPIED_COLUMNS}) SELECT {}, {COPIED_COLUMNS} FROM \
         audit_event WHERE id = {EVENT_2}",
        new_id(t)
    );
    let update = |values: &str| format!("UPDATE audit_event SET {values} WHERE id = {EVENT_2}");
    for (tampering, kind) in [
        (update("summary = 'nothing happened'"), "altered"),
        (update("actor_email = 'other@acme.example'"), "altered"),
        (update("occurred_at = '2026-11-20 08:00:00+00:00'"), "altered"),
        (update("action = 'org.created'"), "altered"),
        (format!("DELETE FROM audit_event WHERE id = {EVENT_2}"), "missing"),
        (format!("DELETE FROM audit_event WHERE org_id = {ACME}"), "missing"),
        (copy, "added"),
    ] {
        assert_fault(t, &tampering, kind).await;
    }
}

async fn changed_leaves_fail_verification(t: &App) {
    let swap = format!(
        "UPDATE audit_leaf SET leaf_index = leaf_index + 1000 WHERE org_id = {ACME} AND leaf_index \
         IN (1, 2); UPDATE audit_leaf SET leaf_index = 1 WHERE org_id = {ACME} AND leaf_index = \
         1002; UPDATE audit_leaf SET leaf_index = 2 WHERE org_id = {ACME} AND leaf_index = 1001"
    );
    let delete_leaf = format!("DELETE FROM audit_leaf WHERE org_id = {ACME} AND leaf_index = 2");
    let delete_both = format!("DELETE FROM audit_event WHERE id = {EVENT_2}; {delete_leaf}");
    for (tampering, kind) in [(swap, "root"), (delete_leaf, "missing"), (delete_both, "missing")] {
        assert_fault(t, &tampering, kind).await;
    }
}

/// Runs the statement on a new database. Asserts that verification reports a fault of this kind,
/// and names the event or its index unless the kind is `added` or `root`.
async fn assert_fault(t: &App, tampering: &str, kind: &str) {
    let fresh = App::start(t.backend, |_| {}).await;
    let owner = record_actions(&fresh).await;
    let events = owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200);
    let event_id = events.json["data"]
        .as_array()
        .expect("data is an array")
        .iter()
        .find(|event| event["log"]["index"] == 2)
        .map(|event| event["id"].as_str().expect("id is a string"))
        .expect("an event has index 2");
    let keys = keys(&owner).await;
    run_as_administrator(&fresh, tampering).await;
    let report = verify(&export(&owner).await, keys, &[]);
    assert!(
        fault_kinds(&report).contains(&kind),
        "{tampering} causes the fault {kind}: {report:?}"
    );
    let details: Vec<&str> = report.faults.iter().map(|fault| fault.detail.as_str()).collect();
    let details = details.join("\n");
    assert!(
        ["added", "root"].contains(&kind)
            || details.contains(event_id)
            || details.contains("entry 2"),
        "{tampering}: a fault names the event or its index: {details}"
    );
    fresh.finish().await;
}
