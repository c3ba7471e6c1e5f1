//! The audit log: events, exports, streams, the transparency log, retention and erasure.

mod append_only;
mod erasure;
mod event_stream;
mod export_audit_events;
mod kept_files;
mod legal_hold;
mod list_audit_actions;
mod list_audit_events;
mod log_keys;
mod log_proof;
mod log_tiles;
mod maintenance_commands;
mod postern_verify;
mod retention;
mod secrets;
mod sequencer;
mod stream_audit_events;
mod stream_limits;
mod tampering;
mod transactions;
mod verify_command;
mod verify_exit_codes;
mod verify_export;

use postern_audit_log::{report::Report, verify::ExportVerifier};
use postern_tests::{App, OWNER, Person, as_role};
use postern_tlog::Verifier;
use serde_json::json;

pub use self::sequencer::start_worker;
use crate::cli::{output_text, postern_with};

/// Makes changes in acme, some of them under impersonation, and adds them to the log. Returns
/// acme's owner.
pub async fn record_actions(t: &App) -> Person<'_> {
    let owner = t.sign_in("owner@acme.example").await;
    for n in 0..4 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("Acme {n}") })).await.expect(200);
        t.sequence().await;
    }
    let member = t.member_id("acme", "viewer@acme.example").await;
    owner
        .patch(&format!("/v1/orgs/acme/members/{member}"), json!({ "role": "member" }))
        .await
        .expect(200);
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    target.patch("/v1/orgs/acme", json!({ "name": "Acme by support" })).await.expect(200);
    t.sequence().await;
    owner
}

/// NDJSON export of acme's whole log.
pub async fn export(caller: &Person<'_>) -> String {
    caller.get("/v1/orgs/acme/audit-events/export").await.expect(200).body
}

/// Public keys of acme's log.
async fn keys(caller: &Person<'_>) -> Vec<Verifier> {
    keys_at(caller, "/v1/orgs/acme/audit-log/keys").await
}

/// Public keys of the log at this path.
async fn keys_at(caller: &Person<'_>, path: &str) -> Vec<Verifier> {
    let keys = caller.get(path).await.expect(200).body;
    keys.lines().map(|line| Verifier::parse(line).expect("the key is valid")).collect()
}

/// Current signed checkpoint of acme's log.
pub async fn checkpoint(caller: &Person<'_>) -> String {
    caller.get("/v1/orgs/acme/audit-log/checkpoint").await.expect(200).body
}

/// The first leaf hashes of acme's log, as the server returns them for a partial tile.
pub async fn leaf_tile(caller: &Person<'_>, width: u64) -> Vec<u8> {
    let path = format!("/v1/orgs/acme/audit-log/tile/0/000.p/{width}");
    let response = caller.request("GET", &path).send().await.expect("the server responds");
    response.bytes().await.expect("the body arrives").to_vec()
}

/// Verifies a full export. `stored` are checkpoints that were stored earlier.
fn verify(export: &str, keys: Vec<Verifier>, stored: &[String]) -> Report {
    run_verifier(ExportVerifier::new(keys, stored.to_vec()), export)
}

/// Verifies a full export that was made after the `stored` checkpoints.
fn verify_current(export: &str, keys: Vec<Verifier>, stored: &[String]) -> Report {
    run_verifier(ExportVerifier::new(keys, stored.to_vec()).current(), export)
}

/// Verifies a filtered export.
fn verify_partial(export: &str, keys: Vec<Verifier>) -> Report {
    run_verifier(ExportVerifier::new(keys, Vec::<String>::new()).accept_partial(), export)
}

fn run_verifier(mut verifier: ExportVerifier, export: &str) -> Report {
    export.lines().for_each(|line| verifier.line(line.to_owned()));
    verifier.finish().expect("the file is an export")
}

/// The kind of each fault.
fn fault_kinds(report: &Report) -> Vec<&str> {
    report.faults.iter().map(|fault| fault.kind.name()).collect()
}

/// Runs `postern` on the test's database. Returns whether it succeeds, and its output.
async fn run_postern(t: &App, arguments: &[&str]) -> (bool, String) {
    let owner = as_role(&t.db.url, OWNER);
    let (folder, url) = (t.folder.path().to_owned(), t.db.url.clone());
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // SQLite has no owner URL.
        let owner = if url.starts_with("sqlite:") { "" } else { owner.as_str() };
        let environment =
            [("POSTERN__DATABASE__URL", url.as_str()), ("POSTERN__DATABASE__OWNER_URL", owner)];
        let output = postern_with(&folder, &arguments, &environment);
        (output.status.success(), output_text(&output))
    })
    .await
    .expect("the task completes")
}
