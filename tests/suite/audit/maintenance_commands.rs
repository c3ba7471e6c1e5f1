//! `postern retention` and `postern privacy erase`.

use postern_tests::{App, Backend, OWNER, as_role, on_both};

use super::{record_actions, run_postern};
use crate::cli::{output_text, postern_with};

on_both![
    retention_run_has_a_dry_run,
    erase_removes_personal_data,
    invalid_arguments_are_rejected,
    commands_with_other_audit_keys_fail,
];

const ERASE: [&str; 6] =
    ["privacy", "erase", "--user", "viewer@acme.example", "--reason", "asked for by themselves"];

async fn retention_run_has_a_dry_run(t: &App) {
    t.skip_invariants();
    record_actions(t).await;
    let (succeeded, output) = run_postern(t, &["retention", "run", "--dry-run"]).await;
    assert!(
        succeeded && output.contains("no expired events"),
        "the dry run has nothing to remove: {output}"
    );
}

async fn erase_removes_personal_data(t: &App) {
    t.skip_invariants();
    record_actions(t).await;
    let (succeeded, output) = run_postern(t, &ERASE).await;
    assert!(
        succeeded && output.contains("erased viewer@acme.example from"),
        "the erasure succeeds: {output}"
    );
    if t.backend == Backend::Sqlite {
        let (healthy, output) = run_postern(t, &["doctor", "--demo"]).await;
        assert!(healthy, "the append-only triggers are restored: {output}");
    }
}

async fn invalid_arguments_are_rejected(t: &App) {
    t.skip_invariants();
    let reason = "asked for by their lawyers";
    for invalid in [
        &["privacy", "erase", "--user", "unknown@acme.example", "--reason", reason][..],
        &["privacy", "erase", "--user", "viewer@acme.example", "--reason", "short"],
        &["retention", "set", "acme", "--days", "29", "--reason", reason],
        &["retention", "set", "nowhere", "--days", "30", "--reason", reason],
    ] {
        let (succeeded, output) = run_postern(t, invalid).await;
        assert!(!succeeded, "{invalid:?} fails: {output}");
    }
}

/// Commands without the installation's audit keys fail, and write no event that the sequencer would
/// reject.
async fn commands_with_other_audit_keys_fail(t: &App) {
    let empty_dir = t.folder.path().join("without-keys");
    std::fs::create_dir_all(&empty_dir).expect("the directory is created");
    let url = t.db.url.clone();
    let owner = if url.starts_with("sqlite:") { String::new() } else { as_role(&url, OWNER) };
    let (succeeded, output) = run_postern(
        t,
        &["staff", "grant", "viewer@acme.example", "support", "--reason", "helps on the weekend"],
    )
    .await;
    assert!(succeeded, "the command succeeds with the audit keys: {output}");
    t.skip_invariants();
    for arguments in [
        &["staff", "revoke", "viewer@acme.example", "--reason", "helps no longer at all"][..],
        &["retention", "run"],
        &ERASE,
        &["serve", "--demo"],
        &["worker"],
    ] {
        let output = postern_with(
            &empty_dir,
            arguments,
            &[("POSTERN__DATABASE__URL", &url), ("POSTERN__DATABASE__OWNER_URL", &owner)],
        );
        assert!(
            !output.status.success() && output_text(&output).contains("bound to the audit key"),
            "{arguments:?} fails: {}",
            output_text(&output)
        );
    }
    assert_eq!(
        t.recorded("staff.tier_changed").await,
        1,
        "only the change with the audit keys is recorded"
    );
}
