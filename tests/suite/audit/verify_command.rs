//! `postern audit verify`.

use std::{fs, path::Path};

use postern_tests::{App, Person, on_both};
use serde_json::{Value, json};

use super::{checkpoint, export, record_actions};
use crate::cli::{output_text, postern_with};

on_both![
    export_file_is_verified,
    log_on_the_server_is_verified,
    download_errors_name_url_cause_and_remedy,
];

/// Writes the keys of acme's log and a checkpoint, for the command.
pub async fn write_keys_and_checkpoint(t: &App, owner: &Person<'_>) {
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
        code == 1 && output.contains("[altered] line ") && output.contains(": event evt_"),
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
    let (code, output) = verify_server(t, &t.address, "acme", &token).await;
    assert_eq!(code, 0, "the log on the server verifies: {output}");
}

/// Verifies the log of an org on a server.
pub async fn verify_server(t: &App, server: &str, org: &str, token: &str) -> (i32, String) {
    let (folder, token) = (t.folder.path().to_owned(), token.to_owned());
    let arguments = ["audit", "verify", "--server", server, "--org", org];
    let arguments = [&arguments[..], &["--key", "log.keys", "--checkpoint", "kept"]].concat();
    let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = postern_with(&folder, &arguments, &[("POSTERN_TOKEN", &token)]);
        (output.status.code().expect("the command exits"), output_text(&output))
    })
    .await
    .expect("the task completes")
}

async fn download_errors_name_url_cause_and_remedy(t: &App) {
    let owner = record_actions(t).await;
    write_keys_and_checkpoint(t, &owner).await;
    let token = owner.token.clone().expect("the caller is signed in");
    let viewer = t.sign_in("viewer@acme.example").await.token.clone().expect("signed in");
    let tls = t.address.replace("http://", "https://");
    let elsewhere = format!("{}/docs/?", t.address);
    for (server, org, token, cause, remedy) in [
        (t.address.as_str(), "acme", "x", "HTTP 401", "set POSTERN_TOKEN"),
        (&t.address, "acme", &viewer, "HTTP 403", "use the token of an admin"),
        (&t.address, "globex", &token, "HTTP 404", "correct --org"),
        (&elsewhere, "acme", &token, "the response is text/html", "correct --server"),
        (&tls, "acme", &token, "InvalidContentType", "TLS failed"),
        ("https://postern.invalid", "acme", &token, "lookup", "DNS does not know the host"),
        ("http://127.0.0.1:1", "acme", &token, "refused", "no server listens"),
        ("postern.example", "acme", &token, "invalid", "pass --server as a URL"),
    ] {
        let (code, output) = verify_server(t, server, org, token).await;
        let url = format!("postern: {server}/v1/orgs/{org}/audit-events");
        assert!(
            code == 2 && [url.as_str(), cause, remedy].iter().all(|text| output.contains(text)),
            "{server} {org}: the error names {url}, {cause} and {remedy}: {code} {output}"
        );
    }
}
