//! Truncated and rewritten logs, which only an earlier checkpoint reveals.

use postern_tests::{App, on_both};
use serde_json::json;

use super::{ACME, run_as_administrator};
use crate::audit::{
    checkpoint, export, fault_kinds, keys, record_actions, verify,
    verify_command::{verify_server, write_keys_and_checkpoint},
    verify_current,
};

on_both![truncated_or_rewritten_log_fails_verification];

async fn truncated_or_rewritten_log_fails_verification(t: &App) {
    let owner = record_actions(t).await;
    let (stored, keys) = (checkpoint(&owner).await, keys(&owner).await);
    write_keys_and_checkpoint(t, &owner).await;
    // Removes the last entries with their events, leaves and checkpoints.
    let truncate = format!(
        "DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE org_id = \
         {ACME} AND leaf_index >= 4); DELETE FROM audit_leaf WHERE org_id = {ACME} AND leaf_index \
         >= 4; DELETE FROM audit_checkpoint WHERE org_id = {ACME} AND size > 4"
    );
    run_as_administrator(t, &truncate).await;
    let file = export(&owner).await;
    assert_eq!(
        fault_kinds(&verify(&file, keys.clone(), &[])),
        Vec::<&str>::new(),
        "without an earlier checkpoint the truncation is not detectable"
    );
    assert_eq!(
        fault_kinds(&verify_current(&file, keys.clone(), std::slice::from_ref(&stored))),
        ["truncated"],
        "with the stored checkpoint the truncation is detected"
    );
    assert_eq!(
        fault_kinds(&verify(&file, keys.clone(), std::slice::from_ref(&stored))),
        ["older"],
        "an export of unknown time may be older than the checkpoint"
    );
    // An export that the command downloads is newer than the checkpoint.
    let token = owner.token.as_ref().expect("the caller is signed in");
    let (code, output) = verify_server(t, &t.address, "acme", token).await;
    assert!(code == 1 && output.contains("[truncated] "), "it is detected: {code} {output}");
    // The log grows beyond the size of the stored checkpoint.
    for n in 0..12 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("New {n}") })).await.expect(200);
    }
    t.sequence().await;
    let file = export(&owner).await;
    assert_eq!(
        fault_kinds(&verify(&file, keys.clone(), &[])),
        Vec::<&str>::new(),
        "without an earlier checkpoint the rewritten log verifies"
    );
    assert_eq!(
        fault_kinds(&verify(&file, keys.clone(), std::slice::from_ref(&stored))),
        ["rewritten"],
        "with the stored checkpoint the rewrite is detected"
    );
}
