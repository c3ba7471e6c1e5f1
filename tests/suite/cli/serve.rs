//! `postern serve`: first start, key files, rejected passwords.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use postern_tests::{App, PASSWORD, tests_on};

use super::{demo_server::DemoServer, output_text, postern, postern_on};

tests_on! { postgres, Postgres: common_database_password_is_rejected }

#[test]
fn first_start_creates_keys_and_second_start_reuses_them() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let key_files: Vec<Vec<PathBuf>> = ["first", "second"]
        .map(|start| {
            assert_serves(folder.path(), start);
            key_files(folder.path())
        })
        .into();
    assert_eq!(key_files[0].len(), 3, "three key files are created: {key_files:?}");
    assert_eq!(key_files[1], key_files[0], "the second start creates no keys");
}

#[test]
fn key_files_must_be_private() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    assert_serves(folder.path(), "first");
    assert_eq!(mode(&folder.path().join("data/keys")), 0o700, "the key directory is private");
    for file in key_files(folder.path()).iter().chain([&folder.path().join("data/postern.db")]) {
        assert_eq!(mode(file), 0o600, "{} is private", file.display());
    }
    for key in key_files(folder.path()) {
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644))
            .expect("the permissions are set");
        let output = postern(folder.path(), &["serve"]);
        assert!(
            !output.status.success() && output_text(&output).contains("chmod 600"),
            "serve does not start with a readable key {}: {}",
            key.display(),
            output_text(&output)
        );
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))
            .expect("the permissions are set");
    }
}

/// Serves the demo until its banner is complete, and stops it with SIGTERM.
fn assert_serves(folder: &Path, start: &str) {
    let server = DemoServer::start(folder);
    let (port, banner) = (server.port, &server.banner);
    assert!(
        banner.contains(&format!("http://127.0.0.1:{port}/docs/")),
        "{start} start: the banner has the URL of Swagger UI: {banner}"
    );
    assert!(
        banner.contains("super2@postern.example") && banner.contains(PASSWORD),
        "{start} start: the banner lists the demo accounts: {banner}"
    );
    server.stop();
}

/// The files in the key directory, sorted.
fn key_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("data/keys"))
        .expect("the directory is readable")
        .map(|entry| entry.expect("the entry is readable").path())
        .collect();
    files.sort();
    files
}

/// Permission bits of a file.
fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("the file exists").permissions().mode() & 0o777
}

async fn common_database_password_is_rejected(t: &App) {
    let guessed = t.db.url.replace("://postern_server@", "://postern_server:postgres@");
    let output = postern_on(
        &t.db.url,
        t.folder.path(),
        &["serve", "--demo"],
        &[("POSTERN__DATABASE__URL", &guessed)],
    );
    assert!(
        !output.status.success() && output_text(&output).contains("[secrets]"),
        "serve does not start: {}",
        output_text(&output)
    );
}
