//! Failover to a standby without the last batches: their events are pending again and get the same
//! index.

use std::sync::Arc;

use postern_persistence::sequencer::Sequencer;
use postern_tests::{App, on_both};
use serde_json::json;

use super::{run_as_administrator, run_batch};
use crate::audit::{export, keys, record_actions, verify};

on_both![database_rollback_loses_no_events];

async fn database_rollback_loses_no_events(t: &App) {
    let owner = record_actions(t).await;
    let mut sequencer = Sequencer::new(Arc::clone(&t.state.store));
    owner.patch("/v1/orgs/acme", json!({ "name": "Before" })).await.expect(200);
    run_batch(t, &mut sequencer).await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Rolled back" })).await.expect(200);
    let tables = ["audit_queue", "audit_leaf", "audit_node", "audit_checkpoint"];
    for table in tables {
        t.db.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"))
            .await
            .expect("the table is copied");
    }
    run_batch(t, &mut sequencer).await;
    let restore = tables.map(|table| {
        format!(
            "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE \
             kept_{table}"
        )
    });
    run_as_administrator(t, &restore.join("; ")).await;
    run_batch(t, &mut sequencer).await;
    assert_eq!(
        verify(&export(&owner).await, keys(&owner).await, &[]).faults,
        [],
        "the log verifies"
    );
}
