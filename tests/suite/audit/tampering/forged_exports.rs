//! Forged export files: another log's export, and hashes or lines without events.

use postern_tests::{App, on_both};
use serde_json::{Value, json};

use crate::audit::{checkpoint, export, fault_kinds, keys, record_actions, verify, verify_partial};

on_both![
    export_of_another_log_fails_verification,
    hashes_without_events_fail_verification,
    invalid_lines_fail_verification,
];

async fn export_of_another_log_fails_verification(t: &App) {
    let owner = record_actions(t).await;
    let globex = t.sign_in("owner@globex.example").await;
    t.sequence().await;
    let globex_export = globex.get("/v1/orgs/globex/audit-events/export").await.expect(200).body;
    let keys = keys(&owner).await;
    let globex_name = globex_export
        .split("\"origin\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("the export has an origin");
    // The signature with acme's name in front.
    let renamed = globex_export
        .replace(&format!("\u{2014} {globex_name} "), &format!("\u{2014} {} ", keys[0].name()));
    for file in [&globex_export, &renamed] {
        assert!(
            fault_kinds(&verify(file, keys.clone(), &[checkpoint(&owner).await]))
                .contains(&"other_log"),
            "the checkpoint of another log does not verify"
        );
    }
}

/// Forged files with a real checkpoint: node hashes without events do not give the signed root.
async fn hashes_without_events_fail_verification(t: &App) {
    let owner = record_actions(t).await;
    let keys = keys(&owner).await;
    let file = export(&owner).await;
    let first_events = file.lines().take(3).collect::<Vec<_>>().join("\n");
    let end = file.lines().last().expect("the export has lines");
    let mut end: Value = serde_json::from_str(end).expect("the text is valid JSON");
    end["end"]["filter"] = json!({ "q": "x" });
    end["end"]["history"] = json!([]);
    let hash = "ou8M/hfK/QbhntWp0Y8tQmpCYJZrcpgYcjtkMpxjYLI=";
    for (level, index) in [(2, 1), (62, 0)] {
        let node = json!({ "node": { "level": level, "index": index, "hash": hash } });
        for events in [first_events.as_str(), ""] {
            end["end"]["events"] = events.lines().count().into();
            let report = verify_partial(&format!("{events}\n{node}\n{end}"), keys.clone());
            assert!(
                fault_kinds(&report).iter().any(|kind| ["root", "missing"].contains(kind)),
                "the node hashes do not give the signed root: {report:?}"
            );
        }
    }
}

async fn invalid_lines_fail_verification(t: &App) {
    let owner = record_actions(t).await;
    let keys = keys(&owner).await;
    let file = export(&owner).await;
    let end = file.lines().last().expect("the export has lines");
    for line in [
        r#"{"lost":{"from":5,"to":0}}"#,
        r#"{"node":{"level":200,"index":1,"hash":""}}"#,
        r#"{"node":{"level":60,"index":18446744073709551615,"hash":""}}"#,
    ] {
        assert!(
            !verify(&format!("{line}\n{end}"), keys.clone(), &[]).faults.is_empty(),
            "{line} causes a fault"
        );
    }
}
