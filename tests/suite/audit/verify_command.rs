//! `postern audit verify`.

use std::{fs, path::Path};

use postern_tests::{App, Person, on_both};
use serde_json::{Value, json};

use super::{checkpoint, export, record_actions};
use crate::cli::{output_text, postern_with};

on_both![export_file_is_verified, log_on_the_server_is_verified];

/// Writes the keys of acme's log and a checkpoint, for the command.
async fn write_keys_and_checkpoint(t: &App, owner: &Person<'_>) {
    let keys = owner.get("/v1/orgs/acme/audit-log/keys").await.expect(200).body;
    write(t, "log.keys", &keys);
    write(t, "kept", &checkpoint(owner).await);
}

fn write(t: &App, name: &str, text: &str) {
    fs::write(t.folder.path().join(name), text).expect("the file is written");
}

/// Runs the command. Returns its exit code and output.
fn verify(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = postern_with(folder, &[&["audit", "verify"], arguments].concat(), &[]);
    (output.status.code().expect("the command exits"), output_text(&output))
}

async fn export_file_is_verified(t: &App) {
    let owner = record_actions(t).await;
    write_keys_and_checkpoint(t, &owner).await;
    write(t, "log.ndjson", &export(&owner).await);
    let run = |arguments: &[&str]| verify(t.folder.path(), arguments);
    let (code, output) = run(&["log.ndjson", "--key", "log.keys", "--checkpoint", "kept"]);
    assert!(
        code == 0 && output.contains("valid: every event"),
        "the unchanged export verifies: {code} {output}"
    );
    write(t, "altered.ndjson", &export(&owner).await.replacen("Acme 2", "Acme 3", 1));
    let (code, output) = run(&["altered.ndjson", "--key", "log.keys"]);
    assert!(
        code == 1 && output.contains("[altered] event evt_"),
        "the command exits with status 1 and names the event: {code} {output}"
    );
    let (_, output) = run(&["altered.ndjson", "--key", "log.keys", "--json"]);
    let report: Value = serde_json::from_str(output.lines().next().expect("the output has a line"))
        .expect("the text is valid JSON");
    assert_eq!(
        (&report["valid"], &report["faults"][0]["kind"]),
        (&json!(false), &json!("altered")),
        "the JSON report has the fault"
    );
    for invalid in [
        &["missing.ndjson", "--key", "log.keys"][..],
        &["log.ndjson", "--key", "missing.keys"],
        &["log.ndjson"],
        &["--key", "log.keys"],
    ] {
        assert_eq!(run(invalid).0, 2, "{invalid:?} exits with status 2");
    }
}

async fn log_on_the_server_is_verified(t: &App) {
    let owner = record_actions(t).await;
    write_keys_and_checkpoint(t, &owner).await;
    let token = owner.token.clone().expect("the caller is signed in");
    let address = t.address.clone();
    let working_dir = t.folder.path().to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut arguments = vec!["audit", "verify", "--server", &address, "--org", "acme"];
        arguments.extend(["--key", "log.keys", "--checkpoint", "kept"]);
        postern_with(&working_dir, &arguments, &[("POSTERN_TOKEN", &token)])
    })
    .await
    .expect("the task completes");
    assert_eq!(
        output.status.code(),
        Some(0),
        "the log on the server verifies: {}",
        output_text(&output)
    );
}
