//! Forged erasures and retention events: removed data without an authentic event for it.

use postern_tests::{App, on_both};

use super::{EVENT_2, new_id, run_as_administrator, zero_hash};
use crate::audit::{export, fault_kinds, keys, record_actions, verify};

on_both![forged_erasures_fail_verification, forged_retention_event_fails_verification];

async fn forged_erasures_fail_verification(t: &App) {
    let hash = "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=";
    // Replaces an erased field with another text.
    let replaced = format!(
        "UPDATE audit_event SET erased_fields = '{{\"summary\": \"{hash}\"}}', summary = 'x' WHERE \
         id = {EVENT_2}"
    );
    // Marks a field as erased without an erasure.
    let marked = format!(
        "UPDATE audit_event SET erased_fields = '{{\"reason\": \"{hash}\"}}' WHERE id = {EVENT_2}"
    );
    for tampering in [replaced, marked] {
        assert_fault(t, &tampering, "altered").await;
    }
}

/// The retention event is at an index beyond the end of the log.
async fn forged_retention_event_fails_verification(t: &App) {
    let columns = "occurred_at, org_id, org_slug, actor_type, outcome, target_type, target_label, \
                   summary, schema_version, salts";
    let (id, hash) = (new_id(t), zero_hash(t));
    let tampering = format!(
        "INSERT INTO audit_event (id, {columns}, action, metadata) SELECT {id}, {columns}, \
         'audit.retention_applied', '{{\"before\": \"2026-01-01T00:00:00Z\", \"events\": 1000, \
         \"first_kept\": 1000}}' FROM audit_event WHERE id = {EVENT_2}; INSERT INTO audit_leaf \
         (org_id, leaf_index, event_id, hash) SELECT org_id, 1000, id, {hash} FROM audit_event \
         WHERE action = 'audit.retention_applied'; DELETE FROM audit_event WHERE id = {EVENT_2}"
    );
    assert_fault(t, &tampering, "missing").await;
}

/// Runs the statement on a new database. Asserts that verification reports a fault of this kind.
async fn assert_fault(t: &App, tampering: &str, kind: &str) {
    let fresh = App::start(t.backend, |_| {}).await;
    let owner = record_actions(&fresh).await;
    let keys = keys(&owner).await;
    run_as_administrator(&fresh, tampering).await;
    let report = verify(&export(&owner).await, keys, &[]);
    assert!(
        fault_kinds(&report).contains(&kind),
        "{tampering} causes the fault {kind}: {report:?}"
    );
    fresh.finish().await;
}
