//! The throw-away PostgreSQL cluster: one for the whole run, started when the first test asks for it, and gone with this
//! process whatever becomes of it (`postgres.sh` waits for the end of a pipe).

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

struct Cluster {
    socket_folder: String,
    _keeper: Child,
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = Command::new(here.join("find-postgres.sh")).stderr(Stdio::inherit()).output().expect("find-postgres.sh runs");
    assert!(found.status.success(), "there is no PostgreSQL to test with");
    let binaries = String::from_utf8(found.stdout).expect("a path in UTF-8");
    let mut keeper = Command::new(here.join("postgres.sh"))
        .arg(binaries.trim())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("postgres.sh runs");
    let mut line = String::new();
    BufReader::new(keeper.stdout.take().expect("piped")).read_line(&mut line).expect("the cluster starts");
    assert!(!line.is_empty(), "the cluster did not start");
    Cluster { socket_folder: line.trim().to_owned(), _keeper: keeper }
});

/// The address of a database of the cluster.
pub fn url(database: &str) -> String {
    format!("postgres://postern_owner@{}/{database}", CLUSTER.socket_folder.replace('/', "%2F"))
}
