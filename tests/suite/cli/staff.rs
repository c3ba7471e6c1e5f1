//! `postern staff`.

use std::process::Output;

use tempfile::TempDir;

use super::{output_text, postern};

const REASON: &str = "joins the support team";

/// A directory with a demo database.
fn demo_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    assert!(postern(folder.path(), &["demo"]).status.success(), "`postern demo` succeeds");
    folder
}

fn grant(folder: &TempDir, email: &str, tier: &str, reason: &str) -> Output {
    postern(folder.path(), &["staff", "grant", email, tier, "--reason", reason])
}

fn revoke(folder: &TempDir, email: &str) -> Output {
    postern(folder.path(), &["staff", "revoke", email, "--reason", REASON])
}

#[test]
fn tiers_are_granted_and_revoked() {
    let folder = demo_folder();
    let granted = grant(&folder, "Owner@Initech.example", "engineering", REASON);
    assert!(
        granted.status.success()
            && output_text(&granted).contains("granted owner@initech.example the engineering tier"),
        "the tier is granted: {}",
        output_text(&granted)
    );
    assert!(revoke(&folder, "owner@initech.example").status.success(), "the tier is revoked");
}

#[test]
fn invalid_changes_are_rejected() {
    let folder = demo_folder();
    let owner = "owner@initech.example";
    for (output, fault) in [
        (grant(&folder, owner, "super_admin", REASON), "at most 2 super admins"),
        (grant(&folder, owner, "boss", REASON), "unknown tier: use one of support"),
        (
            grant(&folder, "unknown@initech.example", "support", REASON),
            "user unknown@initech.example not found",
        ),
        (grant(&folder, owner, "support", "short"), "15 to 500"),
        (revoke(&folder, "viewer@acme.example"), "not staff"),
    ] {
        assert!(
            !output.status.success() && output_text(&output).contains(fault),
            "the command fails with {fault:?}: {}",
            output_text(&output)
        );
    }
}
