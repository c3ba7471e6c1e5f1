//! Inclusion proofs of events in the transparency log.

use postern_audit_log::event::CanonicalEvent;
use postern_domain::id::OrgId;
use postern_tests::{App, Person, on_all, on_both};
use postern_tlog::{Checkpoint, Note, ProofFile, verify_inclusion};
use serde_json::{Value, json};

use super::{checkpoint, keys, record_actions};

on_all![every_event_has_a_proof, pending_event_has_no_proof, platform_log_has_proofs];

mod denials {
    use super::{on_both, pending_proofs_are_not_recorded_as_denials};

    on_both![pending_proofs_are_not_recorded_as_denials];
}

async fn every_event_has_a_proof(t: &App) {
    let owner = record_actions(t).await;
    let note = checkpoint(&owner).await;
    let signed = Note::parse(&note).expect("the note is valid");
    for key in keys(&owner).await {
        signed.verify(&key).expect("the signature is valid");
    }
    let tree = Checkpoint::of(&signed).expect("the checkpoint is valid");
    let acme = t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await;
    assert_eq!(
        tree.origin,
        format!("postern.example/{}", OrgId::new(acme)),
        "the origin of the log names the org"
    );
    let events = owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200).json;
    let events = events["data"].as_array().expect("data is an array");
    assert_eq!(events.len() as u64, tree.size, "the log contains each event of the org");
    for event in events {
        assert_proof_verifies(&owner, event, &note, &tree).await;
    }
}

/// Gets the proof of an event and verifies it against the checkpoint `note`.
async fn assert_proof_verifies(owner: &Person<'_>, event: &Value, note: &str, tree: &Checkpoint) {
    let id = event["id"].as_str().expect("id is a string");
    let whole = owner.get(&format!("/v1/orgs/acme/audit-events/{id}")).await.expect(200);
    let recorded = CanonicalEvent::parse(&whole.body).expect("the event is valid");
    let opening = recorded.opening.as_ref().expect("the event has proof data");
    let leaf = recorded.leaf(&opening.decode().expect("the salts are valid"));
    assert_eq!(
        opening.leaf,
        Some(leaf.to_base64()),
        "the leaf hash can be computed from the event: {}",
        whole.body
    );
    let proof = owner.get(&format!("/v1/orgs/acme/audit-log/proof?event={id}")).await.expect(200);
    assert_eq!(proof.header("content-type"), "text/plain; charset=utf-8", "proofs are plain text");
    let proof = ProofFile::parse(&proof.body).expect("the proof is valid");
    assert_eq!(proof.checkpoint, note, "the proof contains the current checkpoint");
    assert_eq!(
        event["log"],
        json!({ "origin": tree.origin, "index": proof.index }),
        "the event names its position in the log"
    );
    verify_inclusion(leaf, proof.index, tree.size, &proof.hashes, tree.root)
        .expect("the proof verifies");
}

/// A new event is pending until the sequencer runs.
async fn pending_event_has_no_proof(t: &App) {
    let owner = record_actions(t).await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme again" })).await.expect(200);
    let newest = owner.get("/v1/orgs/acme/audit-events?limit=1").await.expect(200);
    assert_eq!(newest.json["data"][0]["log"], Value::Null, "a pending event has no position");
    let id = newest.text("/data/0/id");
    owner.get(&format!("/v1/orgs/acme/audit-log/proof?event={id}")).await.problem(404, "not_found");
    let pending = owner.get(&format!("/v1/orgs/acme/audit-events/{id}")).await.expect(200);
    assert_eq!(pending.json["opening"]["pending"], true, "the event is marked as pending");
}

async fn platform_log_has_proofs(t: &App) {
    let eng = t.sign_in("eng@postern.example").await;
    t.sequence().await;
    let note = eng.get("/v1/admin/audit-log/checkpoint").await.expect(200).body;
    assert!(
        note.starts_with("postern.example/platform\n"),
        "the checkpoint has the origin of the platform log: {note}"
    );
    let event = eng
        .get("/v1/admin/audit-events?action=auth.login_succeeded&limit=1")
        .await
        .expect(200)
        .text("/data/0/id");
    let proof = eng.get(&format!("/v1/admin/audit-log/proof?event={event}")).await.expect(200);
    assert!(ProofFile::parse(&proof.body).is_ok(), "the platform log has proofs: {}", proof.body);
}

/// A 404 for the proof of a pending event is not recorded as a denial. A 404 for an event that does
/// not exist is.
async fn pending_proofs_are_not_recorded_as_denials(t: &App) {
    let owner = record_actions(t).await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme again" })).await.expect(200);
    let pending =
        owner.get("/v1/orgs/acme/audit-events?limit=1").await.expect(200).text("/data/0/id");
    owner
        .get(&format!("/v1/orgs/acme/audit-log/proof?event={pending}"))
        .await
        .problem(404, "not_found");
    assert_eq!(t.recorded("permission.denied").await, 0, "no denial is recorded");
    for denied in [
        "audit-events/evt_01k7fgpr00e00800000000000g",
        "audit-log/proof?event=evt_01k7fgpr00e00800000000000g",
    ] {
        owner.get(&format!("/v1/orgs/acme/{denied}")).await.problem(404, "not_found");
    }
    assert_eq!(t.recorded("permission.denied").await, 2, "both denials are recorded");
}
