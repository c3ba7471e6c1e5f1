//! Forged entries of the sequencer's queue.

use postern_tests::{App, on_both};
use serde_json::json;

use super::{COPIED_COLUMNS, new_id, run_as_administrator, zero_hash};
use crate::audit::{export, fault_kinds, keys, record_actions, verify};

on_both![unauthenticated_queue_entries_are_rejected];

async fn unauthenticated_queue_entries_are_rejected(t: &App) {
    let owner = record_actions(t).await;
    let keys = keys(&owner).await;
    // An administrator forges an event and a queue entry for it.
    let (new_id, zeros) = (new_id(t), zero_hash(t));
    let forged = format!(
        "INSERT INTO audit_event (id, {COPIED_COLUMNS}) SELECT {new_id}, {COPIED_COLUMNS} FROM \
         audit_event WHERE summary LIKE '%Acme 2%'; INSERT INTO audit_queue (org_id, event_id, \
         leaf, mac) SELECT org_id, id, {zeros}, {zeros} FROM audit_event e WHERE NOT EXISTS \
         (SELECT 1 FROM audit_leaf l WHERE l.event_id = e.id)"
    );
    run_as_administrator(t, &forged).await;
    // And changes a pending event.
    owner.patch("/v1/orgs/acme", json!({ "name": "Waiting" })).await.expect(200);
    run_as_administrator(
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
    let report = verify(&export(&owner).await, keys, &[]);
    let mut kinds = fault_kinds(&report);
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        ["added", "altered"],
        "the forged event and the changed event are reported: {report:?}"
    );
}
