//! SQL as superuser, outside of the server.

use std::process::Command;

use postern_tests::{Cluster, SUPERUSER};

/// Runs SQL with `psql`. Returns the rows, one per line, with columns separated by `|`.
pub fn run(cluster: &Cluster, sql: &str) -> String {
    let output = Command::new(cluster.binaries.join("psql"))
        .args(["--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
        .args(["--host", cluster.socket_folder(), "--username", SUPERUSER])
        .args(["--command", sql, "postgres"])
        .output()
        .expect("psql runs");
    assert!(
        output.status.success(),
        "the statements succeed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}
