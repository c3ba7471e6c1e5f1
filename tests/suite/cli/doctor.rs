//! `postern doctor`, and the faults with which `serve` does not start either.

use std::{fs, os::unix::fs::PermissionsExt};

use postern_tests::{App, SUPERUSER, as_role, on_both, tests_on};
use serde_json::{Value, json};

use super::{output_text, postern_on};

on_both![
    healthy_database_passes,
    keys_readable_by_others_are_reported,
    other_audit_keys_are_reported,
];

tests_on! { sqlite_only, Sqlite: missing_append_only_trigger_is_rejected }

tests_on! { postgres_only, Postgres:
    superuser_login_is_rejected,
    missing_login_is_reported,
    refused_connections_are_reported_with_the_cause,
    read_only_databases_are_reported,
    unknown_extensions_are_noted
}

async fn healthy_database_passes(t: &App) {
    let output = postern_on(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]);
    assert!(
        output.status.success() && output_text(&output).contains("all checks passed"),
        "doctor passes: {}",
        output_text(&output)
    );
    let output = postern_on(&t.db.url, t.folder.path(), &["doctor", "--demo", "--json"], &[]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("the output is valid JSON");
    let passed = json!({ "passed": true, "faults": [], "notes": [] });
    assert_eq!(report, passed, "the JSON report has no faults");
}

async fn keys_readable_by_others_are_reported(t: &App) {
    let keys = t.folder.path().join("keys");
    let key = fs::read_dir(&keys)
        .expect("the directory is readable")
        .next()
        .expect("a key file exists")
        .expect("the entry is readable")
        .path();
    let doctor = |mode: u32| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(&key, permissions).expect("the permissions are set");
        postern_on(
            &t.db.url,
            t.folder.path(),
            &["doctor", "--demo", "--json"],
            &[("POSTERN__TOKENS__KEYS_DIR", keys.to_str().expect("the path is UTF-8"))],
        )
    };
    // The group of the file is that of this process.
    let output = doctor(0o440);
    assert!(output.status.success(), "the group has access: {}", output_text(&output));
    let output = doctor(0o644);
    let report: Value = serde_json::from_slice(&output.stdout).expect("the output is valid JSON");
    assert!(!output.status.success(), "doctor fails");
    assert_eq!(report["faults"][0]["check"], "keys", "the check `keys` fails: {report}");
    assert!(
        report["faults"][0]["detail"].as_str().is_some_and(|detail| detail.contains("chmod 600")),
        "the report includes the command: {report}"
    );
}

async fn missing_append_only_trigger_is_rejected(t: &App) {
    let trigger =
        t.db.texts("SELECT sql FROM sqlite_master WHERE name = 'audit_event_no_update'").await;
    // Sent as one batch each: another pooled connection may use a cached schema.
    let drop_trigger = "DROP TRIGGER audit_event_no_update";
    let create_noop_trigger =
        "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event BEGIN SELECT 1; END";
    for damage in [
        format!("{drop_trigger}; {create_noop_trigger}"),
        format!(
            "DROP TRIGGER IF EXISTS audit_event_no_update; {create_noop_trigger}; {drop_trigger}"
        ),
    ] {
        t.db.execute(&damage).await.expect("the statement runs");
        for command in ["serve", "doctor"] {
            let output = postern_on(&t.db.url, t.folder.path(), &[command, "--demo"], &[]);
            assert!(
                !output.status.success() && output_text(&output).contains("[triggers]"),
                "{command} fails: {}",
                output_text(&output)
            );
        }
    }
    t.db.execute(&format!("DROP TRIGGER IF EXISTS audit_event_no_update; {}", trigger[0]))
        .await
        .expect("the statement runs");
    let healthy = postern_on(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]);
    assert!(healthy.status.success(), "doctor passes: {}", output_text(&healthy));
}

async fn superuser_login_is_rejected(t: &App) {
    let superuser = as_role(&t.db.url, SUPERUSER);
    for command in ["serve", "doctor"] {
        let output = postern_on(
            &t.db.url,
            t.folder.path(),
            &[command, "--demo"],
            &[("POSTERN__DATABASE__URL", &superuser)],
        );
        assert!(
            !output.status.success() && output_text(&output).contains("SUPERUSER"),
            "{command} fails: {}",
            output_text(&output)
        );
        assert!(
            output_text(&output).contains("`postern migrate` creates it"),
            "the error includes a remedy: {}",
            output_text(&output)
        );
    }
}

async fn missing_login_is_reported(t: &App) {
    let missing_login = as_role(&t.db.url, "missing_login");
    let output = postern_on(
        &t.db.url,
        t.folder.path(),
        &["doctor", "--json"],
        &[("POSTERN__DATABASE__URL", &missing_login)],
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("the output is valid JSON");
    assert_eq!(
        report["faults"][0]["check"], "connection",
        "the check `connection` fails: {report}"
    );
    assert!(
        !output.status.success()
            && output_text(&output).contains("`postern migrate` creates the login"),
        "the report includes a remedy: {}",
        output_text(&output)
    );
}

async fn unknown_extensions_are_noted(t: &App) {
    t.db.execute("CREATE EXTENSION seg; CREATE EXTENSION pgcrypto").await.expect("installed");
    let doctor = |arguments: &[&str]| postern_on(&t.db.url, t.folder.path(), arguments, &[]);
    let text = doctor(&["doctor", "--demo"]);
    let lines = output_text(&text);
    assert!(
        text.status.success()
            && lines.starts_with("note: unknown extension seg ")
            && lines.ends_with("all checks passed\n"),
        "the note is no failure: {lines}"
    );
    let output = doctor(&["doctor", "--demo", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("the output is valid JSON");
    assert_eq!(report["passed"], true, "doctor passes: {report}");
    assert_eq!(report["notes"].as_array().map(Vec::len), Some(1), "one note: {report}");
}

/// The first fault that doctor reports for the demo database.
fn first_fault(t: &App, environment: &[(&str, &str)]) -> Value {
    let arguments = ["doctor", "--demo", "--json"];
    let output = postern_on(&t.db.url, t.folder.path(), &arguments, environment);
    let report: Value = serde_json::from_slice(&output.stdout).expect("the output is valid JSON");
    report["faults"][0].clone()
}

async fn other_audit_keys_are_reported(t: &App) {
    let keys = t.folder.path().join("other-keys");
    for (name, expected) in [("missing", "has no key"), ("other", "audit.keys_dir has")] {
        if name == "other" {
            fs::create_dir(&keys).expect("the directory is created");
            fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).expect("it is private");
            let secret = keys.join("audit.secret");
            fs::write(&secret, [9; 32]).expect("the secret is written");
            fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("it is private");
        }
        let path = keys.to_str().expect("the path is UTF-8");
        let fault = first_fault(t, &[("POSTERN__AUDIT__KEYS_DIR", path)]);
        assert!(
            fault["check"] == "keys"
                && fault["detail"].as_str().is_some_and(|detail| detail.contains(expected)),
            "{name} keys are reported: {fault}"
        );
    }
}

async fn refused_connections_are_reported_with_the_cause(t: &App) {
    let url = [("POSTERN__DATABASE__URL", "postgres://postern_server@127.0.0.1:1/postern")];
    let fault = first_fault(t, &url);
    assert!(
        fault["detail"].as_str().is_some_and(|detail| detail.contains("Connection refused")),
        "the report has the cause: {fault}"
    );
}

async fn read_only_databases_are_reported(t: &App) {
    let name = t.db.url.rsplit('/').next().expect("the database URL ends with a name");
    t.db.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"))
        .await
        .expect("the setting is changed");
    assert_eq!(first_fault(t, &[])["check"], "read_only", "the check `read_only` fails");
    let reset = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
    t.db.execute(&format!("BEGIN READ WRITE; {reset}; COMMIT"))
        .await
        .expect("the setting is reset");
}
