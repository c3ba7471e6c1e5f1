//! Configuration files.

use std::fs;

use super::{output_text, postern};

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
