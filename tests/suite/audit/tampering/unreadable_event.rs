//! Events and leaves with an unreadable value: other events can still be read and exported, and
//! verification names the changed one.

use postern_tests::{App, Backend, on_both};
use serde_json::Value;

use super::{ACME, EVENT_2, run_as_administrator};
use crate::audit::{export, fault_kinds, keys, record_actions, verify, verify_partial};

on_both![unreadable_event_is_named, unreadable_leaf_fails_verification];

async fn unreadable_event_is_named(t: &App) {
    let owner = record_actions(t).await;
    let keys = keys(&owner).await;
    let events = |json: &Value| json["data"].as_array().expect("data is an array").clone();
    let before = owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200);
    let before = events(&before.json);
    let event_id =
        before.iter().find(|event| event["log"]["index"] == 2).expect("an event has index 2")["id"]
            .as_str()
            .expect("id is a string");
    run_as_administrator(t, &format!("UPDATE audit_event SET action = 'x' WHERE id = {EVENT_2}"))
        .await;
    let after = owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200);
    assert_eq!(
        events(&after.json).len() + 1,
        before.len(),
        "only the unreadable event is not listed"
    );
    owner.get(&format!("/v1/orgs/acme/audit-events/{event_id}")).await.problem(500, "internal");
    let report = verify(&export(&owner).await, keys, &[]);
    assert_eq!(fault_kinds(&report), ["missing"], "the unreadable event is missing");
    assert!(report.faults[0].detail.contains(event_id), "the fault names the event: {report:?}");
}

async fn unreadable_leaf_fails_verification(t: &App) {
    let owner = record_actions(t).await;
    let keys = keys(&owner).await;
    let one_byte = match t.backend {
        Backend::Sqlite => "x'00'",
        Backend::Postgres | Backend::PgBouncer => "'\\x00'::bytea",
    };
    run_as_administrator(
        t,
        &format!(
            "UPDATE audit_leaf SET hash = {one_byte} WHERE leaf_index = 0 AND org_id = {ACME}"
        ),
    )
    .await;
    let filtered = "/v1/orgs/acme/audit-events/export?action=org.updated";
    let file = owner.get(filtered).await.expect(200).body;
    let report = verify_partial(&file, keys);
    assert!(!report.faults.is_empty(), "the changed leaf causes a fault");
}
