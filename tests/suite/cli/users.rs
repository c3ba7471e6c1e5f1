//! `postern user`.

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use postern_tests::LOG_ORIGIN;

use super::{binary, output_text, postern};

#[test]
fn user_add_creates_an_account() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let added = add_user(folder.path(), "Sofia@vendor.example", "four random words do");
    assert!(
        added.status.success()
            && output_text(&added).contains("created sofia@vendor.example (user_"),
        "the account is created: {}",
        output_text(&added)
    );
    let again = add_user(folder.path(), "sofia@vendor.example", "four random words do");
    assert!(
        !again.status.success() && output_text(&again).contains("already"),
        "an existing address is rejected: {}",
        output_text(&again)
    );
    let grant = [
        "staff",
        "grant",
        "sofia@vendor.example",
        "super_admin",
        "--reason",
        "the first super admin",
    ];
    assert!(postern(folder.path(), &grant).status.success(), "the account can be granted a tier");
}

#[test]
fn common_passwords_are_rejected() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let weak = add_user(folder.path(), "sofia@vendor.example", "password1234");
    assert!(
        !weak.status.success() && output_text(&weak).contains("too common"),
        "a common password is rejected: {}",
        output_text(&weak)
    );
}

/// Runs `postern user add` with a password on standard input.
fn add_user(folder: &Path, email: &str, password: &str) -> Output {
    let mut command = Command::new(binary());
    command.args(["user", "add", email, "--name", "Sofia Marin"]).current_dir(folder);
    command
        .env("POSTERN__AUDIT__LOG_ORIGIN", LOG_ORIGIN)
        .env("POSTERN__PASSWORDS__MEMORY_KIB", "8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    child
        .stdin
        .take()
        .expect("the stream is piped")
        .write_all(format!("{password}\n").as_bytes())
        .expect("the password is sent");
    child.wait_with_output().expect("the process ends")
}
