//! docs/audit.md and docs/audit-reference.md: verification of the log.

use std::{fs, process::Command};

use postern_tests::{App, on_both};
use serde_json::{Value, json};

use super::{block, output_of, shell};
use crate::audit::{checkpoint, export, leaf_tile, record_actions};

on_both![documented_log_verification_works, documented_leaf_hash_program_works];

async fn documented_log_verification_works(t: &App) {
    let owner = record_actions(t).await;
    let write = |name: &str, content: &[u8]| {
        let file = t.folder.path().join(name);
        fs::create_dir_all(file.parent().expect("the file is in a directory"))
            .expect("the directory is created");
        fs::write(file, content).expect("the file is written");
    };
    write("kept-1.txt", checkpoint(&owner).await.as_bytes());
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme once more" })).await.expect(200);
    t.sequence().await;
    let latest = checkpoint(&owner).await;
    write("kept-2.txt", latest.as_bytes());
    let get = async |path: &str| owner.get(&format!("/v1/orgs/acme/{path}")).await.expect(200);
    write("log.keys", get("audit-log/keys").await.body.as_bytes());
    write("log.ndjson", export(&owner).await.as_bytes());
    let event = get("audit-events?action=org.updated&limit=1").await.text("/data/0/id");
    write("event.json", get(&format!("audit-events/{event}")).await.body.as_bytes());
    write("proof.txt", get(&format!("audit-log/proof?event={event}")).await.body.as_bytes());
    let size = latest.lines().nth(1).and_then(|size| size.parse().ok());
    let size = size.expect("the second line of a checkpoint is the size");
    let leaves = leaf_tile(&owner, size).await;
    write(&format!("tiles/tile/0/000.p/{size}"), &leaves);
    let script = block("verify").replace("https://postern.example", &t.address);
    let script = script.replace(
        "POSTERN_TOKEN=…",
        &format!("POSTERN_TOKEN={}", owner.token.as_ref().expect("the caller is signed in")),
    );
    let output = output_of(shell(&script, t.folder.path())).await;
    let results = ["valid: every event", "valid: event evt_", "valid: the log "];
    assert_eq!(
        results.map(|result| output.matches(result).count()),
        [2, 1, 1],
        "all verifications succeed: {output}"
    );
}

/// Runs the documented Python program on an export and compares its leaf hashes.
async fn documented_leaf_hash_program_works(t: &App) {
    let owner = record_actions(t).await;
    let export = export(&owner).await;
    // Pending events have no leaf hash.
    let leaf = |line: &str| {
        serde_json::from_str::<Value>(line).expect("the text is valid JSON")["opening"]["leaf"]
            .as_str()
            .map(str::to_owned)
    };
    let (events, leaves): (Vec<&str>, Vec<String>) =
        export.lines().filter_map(|line| Some((line, leaf(line)?))).unzip();
    assert!(leaves.len() > 6, "the export has more than 6 leaves: {}", leaves.len());
    let file = t.folder.path().join("events.ndjson");
    fs::write(&file, events.join("\n")).expect("the file is written");
    let program = format!(
        "{}\nfor line in open({:?}, encoding=\"utf-8\"):\n    print(leaf(line))\n",
        block("leaf"),
        file.display().to_string()
    );
    let mut python = Command::new("python3");
    python.args(["-c", &program]);
    assert_eq!(
        output_of(python).await.lines().collect::<Vec<_>>(),
        leaves,
        "the program prints the leaf hashes of the export"
    );
}
