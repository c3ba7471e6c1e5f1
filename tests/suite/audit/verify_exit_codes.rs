//! Exit codes of `postern-verify` and `postern audit verify`: 0 valid, 1 not valid, 2 not verified,
//! 3 inconclusive.

use std::process::Command;

use postern_tests::{App, on_both};
use serde_json::{Value, json};

use super::{
    checkpoint, export,
    postern_verify::{assert_result, run_programs, write, write_keys},
    record_actions,
};
use crate::cli::{binary_named, output_text};

on_both![exit_codes_of_exports, exit_codes_of_proofs_and_checkpoints];

async fn exit_codes_of_exports(t: &App) {
    let owner = record_actions(t).await;
    write_keys(t, &owner).await;
    let older = export(&owner).await;
    write(t, "older.ndjson", &older);
    owner.patch("/v1/orgs/acme", json!({ "name": "Later" })).await.expect(200);
    t.sequence().await;
    write(t, "kept", checkpoint(&owner).await);
    let file = export(&owner).await;
    write(t, "log.ndjson", &file);
    write(t, "altered.ndjson", older.replacen("Acme 2", "Acme 3", 1));
    write(t, "cut.ndjson", &file[..file.len() * 2 / 3]);
    let filtered = "/v1/orgs/acme/audit-events/export?action=org.updated";
    let part = owner.get(filtered).await.expect(200).body;
    write(t, "part.ndjson", part);
    let globex = t.sign_in("owner@globex.example").await;
    let other = globex.get("/v1/orgs/globex/audit-log/checkpoint").await.expect(200).body;
    write(t, "other", other);
    for (arguments, code, expected) in [
        (&["log.ndjson", "--checkpoint", "kept"][..], 0, "valid: every event"),
        (&["log.ndjson", "--checkpoint", "kept", "--current"], 0, "valid: every event"),
        (&["part.ndjson", "--partial"], 0, "valid: every exported event"),
        (&["altered.ndjson"], 1, "[altered] line "),
        (&["altered.ndjson", "--checkpoint", "kept"], 1, "[older] your checkpoint kept has "),
        (&["older.ndjson", "--checkpoint", "kept", "--current"], 1, "[truncated] "),
        (&["missing.ndjson"], 2, "missing.ndjson: "),
        (&["log.ndjson", "--unknown"], 2, "unexpected argument '--unknown'"),
        (&["older.ndjson", "--checkpoint", "kept"], 3, "[older] your checkpoint kept has "),
        (&["cut.ndjson"], 3, "[incomplete] the export is cut off in line "),
        (&["part.ndjson"], 3, "[incomplete] the export is partial"),
        (&["log.ndjson", "--checkpoint", "other"], 3, "[other_log] your checkpoint other: "),
        (&["log.ndjson", "--key", "other.keys"], 0, "valid: every event"),
    ] {
        let result = run_programs(t, "export", &[arguments, &["--key", "log.keys"]].concat());
        assert_result(&result, code, expected);
    }
    let (code, report) = run_programs(
        t,
        "export",
        &["older.ndjson", "--checkpoint", "kept", "--json", "--key", "log.keys"],
    );
    let report: Value = serde_json::from_str(&report).expect("the report is JSON");
    assert_eq!(
        (code, &report["valid"], &report["verdict"], &report["faults"][0]["kind"]),
        (3, &json!(false), &json!("inconclusive"), &json!("older")),
        "the JSON report agrees with the exit code: {report}"
    );
}

async fn exit_codes_of_proofs_and_checkpoints(t: &App) {
    let owner = record_actions(t).await;
    write_keys(t, &owner).await;
    write(t, "kept", checkpoint(&owner).await);
    owner.patch("/v1/orgs/acme", json!({ "name": "Later" })).await.expect(200);
    t.sequence().await;
    write(t, "new", checkpoint(&owner).await);
    let events = owner.get("/v1/orgs/acme/audit-events?action=org.updated").await.expect(200);
    let id = events.text("/data/0/id");
    let event = owner.get(&format!("/v1/orgs/acme/audit-events/{id}")).await.expect(200).body;
    write(t, "event", &event);
    write(t, "altered", event.replacen("Later", "Sooner", 1));
    let proof = owner.get(&format!("/v1/orgs/acme/audit-log/proof?event={id}")).await.expect(200);
    write(t, "proof", proof.body);
    for (command, arguments, key, code) in [
        ("proof", &["proof", "--event", "event", "--checkpoint", "new"][..], "log.keys", 0),
        ("proof", &["proof", "--event", "altered"], "log.keys", 1),
        ("proof", &["kept", "--event", "event"], "log.keys", 2),
        ("proof", &["proof", "--event", "event", "--checkpoint", "kept"], "log.keys", 3),
        ("proof", &["proof", "--event", "event"], "other.keys", 3),
        ("consistency", &["new", "new", "--tiles", "."], "log.keys", 0),
        ("consistency", &["new", "kept", "--tiles", "."], "log.keys", 1),
        ("consistency", &["kept", "new", "--tiles", "."], "log.keys", 2),
        ("consistency", &["kept", "new", "--tiles", "."], "other.keys", 3),
    ] {
        let result = run_programs(t, command, &[arguments, &["--key", key]].concat());
        assert_result(&result, code, "");
    }
}

#[test]
fn help_lists_the_exit_codes() {
    for (program, command) in [
        ("postern-verify", &[][..]),
        ("postern-verify", &["export"]),
        ("postern-verify", &["proof"]),
        ("postern-verify", &["consistency"]),
        ("postern", &["audit", "verify"]),
        ("postern", &["audit", "verify-proof"]),
        ("postern", &["audit", "verify-consistency"]),
    ] {
        let mut process = Command::new(binary_named(program));
        let output = process.args(command).arg("--help").output().expect("the command runs");
        let help = output_text(&output);
        for code in ["  0  valid", "  1  not valid", "  2  not verified", "  3  inconclusive"] {
            assert!(help.contains(code), "{program} {command:?} lists {code:?}: {help}");
        }
    }
}
