//! Configuration files.

use std::fs;

use super::{output_text, postern, postern_with};

#[test]
fn all_configuration_faults_are_reported() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    fs::write(
        folder.path().join("bad.toml"),
        "[server]\nlisten = 1\nprot = 2\n[impersonation]\nminutes = \"long\"\n[mail]\nx = 1\n",
    )
    .expect("the file is written");
    let output = postern(folder.path(), &["--config", "bad.toml", "migrate"]);
    assert!(!output.status.success(), "the command fails");
    for fault in ["4 error(s)", "server.listen", "server.prot", "impersonation.minutes", "mail"] {
        assert!(
            output_text(&output).contains(fault),
            "the error lists {fault}: {}",
            output_text(&output)
        );
    }
    assert!(
        !folder.path().join("data").exists(),
        "nothing is created before the configuration is valid"
    );
    let missing = postern(folder.path(), &["--config", "missing.toml", "migrate"]);
    assert!(
        output_text(&missing).contains("file not found"),
        "a missing configuration file is reported: {}",
        output_text(&missing)
    );
}

#[test]
fn each_fault_names_its_origin() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    fs::write(
        folder.path().join("bad.toml"),
        "[tokens]\nrefresh_days = 0\n[server]\nworkers = \"all\"\n",
    )
    .expect("the file is written");
    let output = postern_with(
        folder.path(),
        &["--config", "bad.toml", "doctor"],
        &[
            ("POSTERN__TOKENS__ACCESS_MINUTES", "ten"),
            ("POSTERN__TOKENS__AUDIENCE", "12345"),
            ("POSTERN__SERVER__KEEP_ALIVE_SECONDS", "0"),
            ("POSTERN__MAIL__HOST", "localhost"),
            ("POSTERN__LOG__FORMAT__", "xml"),
            ("POSTERN__log__format", "xml"),
        ],
    );
    let text = output_text(&output);
    for fault in [
        "the configuration has 7 error(s)",
        "tokens.refresh_days: must be from 1 to 365 (set in bad.toml)",
        "server.workers: expected a whole number, found a string; must be at most 1024 (set in \
         bad.toml)",
        "tokens.access_minutes: expected a whole number, found a string; must be from 1 to 60 (set \
         by POSTERN__TOKENS__ACCESS_MINUTES)",
        "server.keep_alive_seconds: must be from 1 to 3600 (set by \
         POSTERN__SERVER__KEEP_ALIVE_SECONDS)",
        "mail: unknown setting (set by POSTERN__MAIL__HOST)",
        "POSTERN__LOG__FORMAT__: must name a section and a setting, such as \
         POSTERN__SERVER__LISTEN",
        "POSTERN__log__format: variables are in upper case; rename it to POSTERN__LOG__FORMAT",
    ] {
        assert!(text.contains(fault), "the error lists {fault}: {text}");
    }
}

#[test]
fn sqlite_in_memory_is_rejected() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite://name?mode=memory&cache=shared"] {
        for command in ["serve", "migrate", "doctor"] {
            let output =
                postern_with(folder.path(), &[command], &[("POSTERN__DATABASE__URL", url)]);
            let text = output_text(&output);
            assert!(
                !output.status.success()
                    && text.contains("databases in memory are not supported")
                    && text.contains("use a file in a temporary directory"),
                "{command} rejects {url}, with the remedy: {text}"
            );
        }
    }
    assert_eq!(
        fs::read_dir(folder.path()).expect("the directory is readable").count(),
        0,
        "nothing is created"
    );
}
