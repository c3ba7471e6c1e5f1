//! Damaged logs: the sequencer quarantines them, and continues with others.

use std::sync::Arc;

use postern_persistence::sequencer::Sequencer;
use postern_tests::{App, Backend, on_both};
use serde_json::json;

use super::{ACME, new_id, run_as_administrator, run_batch, zero_hash};
use crate::audit::{export, keys, record_actions, verify};

on_both![checkpoint_without_its_signature_is_reported, damaged_log_is_quarantined];

/// The sequencer does not append to a tree that differs from the signed checkpoint.
async fn checkpoint_without_its_signature_is_reported(t: &App) {
    let owner = record_actions(t).await;
    let zeros = match t.backend {
        Backend::Sqlite => "zeroblob(length(frontier))",
        Backend::Postgres | Backend::PgBouncer => "decode(repeat('00', length(frontier)), 'hex')",
    };
    run_as_administrator(
        t,
        &format!("UPDATE audit_checkpoint SET frontier = {zeros} WHERE org_id = {ACME}"),
    )
    .await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Not appended" })).await.expect(200);
    let mut sequencer = Sequencer::new(Arc::clone(&t.state.store));
    let batch = run_batch(t, &mut sequencer).await;
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
    let (acme, globex) = (record_actions(t).await, t.sign_in("owner@globex.example").await);
    insert_forged_leaf(t).await;
    acme.patch("/v1/orgs/acme", json!({ "name": "Pending" })).await.expect(200);
    globex.patch("/v1/orgs/globex", json!({ "name": "Sequenced" })).await.expect(200);
    let mut sequencer = Sequencer::new(Arc::clone(&t.state.store));
    let batch = run_batch(t, &mut sequencer).await;
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
    let batch = run_batch(t, &mut sequencer).await;
    assert_eq!(
        (batch.damaged.len(), batch.events),
        (0, 1),
        "the damaged log is reported once: {batch:?}"
    );
    // After a repair no event is lost.
    run_as_administrator(
        t,
        &format!(
            "DELETE FROM audit_leaf WHERE org_id = {ACME} AND event_id NOT IN (SELECT id FROM \
             audit_event)"
        ),
    )
    .await;
    sequencer.retry_quarantined();
    let batch = run_batch(t, &mut sequencer).await;
    assert_eq!(
        (batch.damaged.len(), batch.events),
        (0, 1),
        "the repaired log continues: {batch:?}"
    );
    assert_eq!(
        verify(&export(&acme).await, keys(&acme).await, &[]).faults,
        [],
        "the repaired log verifies"
    );
}

/// Inserts a leaf without an event at the next index of acme's log.
async fn insert_forged_leaf(t: &App) {
    let (id, hash) = (new_id(t), zero_hash(t));
    let sql = format!(
        "INSERT INTO audit_leaf (org_id, leaf_index, event_id, hash) SELECT org_id, \
         max(leaf_index) + 1, {id}, {hash} FROM audit_leaf WHERE org_id = {ACME} GROUP BY 1"
    );
    run_as_administrator(t, &sql).await;
}
