//! Rotation of the keys that sign the transparency log.

use std::{fs, sync::Arc};

use postern_domain::clock::Clock;
use postern_keystore::AuditKeys;
use postern_tests::{App, LOG_ORIGIN, on_both, write_audit_keys};
use postern_tlog::{Checkpoint, Hash, Note, Verifier};
use serde_json::{Value, json};

use super::{checkpoint, export, keys, record_actions, verify};

on_both![new_key_signs_beside_the_old_one, remaining_key_signs_earlier_checkpoints];

async fn new_key_signs_beside_the_old_one(t: &App) {
    let owner = record_actions(t).await;
    let before = keys(&owner).await;
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    write_audit_keys(folder.path());
    let audit_keys = AuditKeys::open(folder.path(), LOG_ORIGIN, true, t.clock.now())
        .expect("the audit keys open");
    let running = AuditKeys::open(folder.path(), LOG_ORIGIN, true, t.clock.now())
        .expect("the audit keys open");
    audit_keys.add_key(t.clock.now() + chrono::TimeDelta::seconds(1)).expect("the key is created");
    let origin = before[0].name().to_owned();
    let both = audit_keys.verifiers(&origin);
    assert_eq!(both.len(), 2, "both keys are published");
    // A running process sees the new key after a reload.
    assert_eq!(running.verifiers(&origin).len(), 1, "the running process knows only the old key");
    running.reload().expect("the keys are reloaded");
    assert_eq!(running.verifiers(&origin), both, "the running process knows both keys");
    let tree = Checkpoint { origin, size: 0, root: Hash::of_nothing() };
    let note = Note::parse(&audit_keys.sign(&tree).expect("the checkpoint is signed"))
        .expect("the note is valid");
    note.verify(&before[0]).expect("the old key verifies the signature");
    note.verify(&Verifier::parse(&both[1]).expect("the key is valid"))
        .expect("the new key verifies the signature");
}

/// A full export verifies with the remaining key alone, although a retired key signed the earlier
/// checkpoints.
async fn remaining_key_signs_earlier_checkpoints(t: &App) {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    write_audit_keys(folder.path());
    let now = t.clock.now();
    let audit_keys =
        AuditKeys::open(folder.path(), LOG_ORIGIN, true, now).expect("the audit keys open");
    let audit_keys = Arc::new(audit_keys);
    let rotated = App::start_on(
        t.backend,
        |_| {},
        |options| options.audit_keys = Some(Arc::clone(&audit_keys)),
    )
    .await;
    let owner = record_actions(&rotated).await;
    let (old, stored) = (keys(&owner).await, checkpoint(&owner).await);
    audit_keys.add_key(now + chrono::TimeDelta::seconds(1)).expect("the key is created");
    let newest = audit_keys.verifiers(old[0].name());
    // Key file names start with the creation time.
    let files = fs::read_dir(folder.path())
        .expect("the directory is readable")
        .map(|file| file.expect("the entry is readable").path().display().to_string());
    let first = files.filter(|name| name.ends_with(".log.pk8")).min().expect("two key files exist");
    fs::rename(&first, first.replace(".log.pk8", ".retired.pk8")).expect("the key file is renamed");
    audit_keys.reload().expect("the keys are reloaded");
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme with another key" })).await.expect(200);
    rotated.sequence().await;
    let new = keys(&owner).await;
    assert!(
        new.len() == 1
            && newest.contains(&new[0].to_text())
            && new[0].to_text() != old[0].to_text(),
        "only the new key is published"
    );
    let export = export(&owner).await;
    let last_line: Value =
        serde_json::from_str(export.lines().last().expect("the export has lines"))
            .expect("the text is valid JSON");
    assert!(
        last_line["end"]["history"].as_array().is_some_and(|notes| notes.len() > 2),
        "the export contains earlier checkpoints: {last_line}"
    );
    let report = verify(&export, new, &[]);
    assert_eq!(report.faults, [], "the export verifies with the remaining key");
    // A checkpoint that was stored before the rotation verifies with its old key.
    let both = [keys(&owner).await, old].concat();
    let report = verify(&export, both, &[stored]);
    assert_eq!(report.faults, [], "the stored checkpoint verifies with its key");
    rotated.finish().await;
}
