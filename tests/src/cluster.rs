//! The throw-away PostgreSQL cluster: one for the whole run, started when the first test asks for it, and gone with this
//! process whatever becomes of it (`postgres.sh` waits for the end of a pipe).

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

/// A cluster that lives as long as this does.
pub struct Cluster {
    pub socket_folder: String,
    /// The folder of the server's binaries, and of `pgbench`.
    pub binaries: PathBuf,
    keeper: Child,
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(""));

impl Cluster {
    /// Starts one with further settings, as in `-c fsync=on`.
    pub fn start(settings: &str) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = Command::new(here.join("find-postgres.sh")).stderr(Stdio::inherit()).output().expect("find-postgres.sh runs");
        assert!(found.status.success(), "there is no PostgreSQL to test with");
        let binaries = PathBuf::from(String::from_utf8(found.stdout).expect("a path in UTF-8").trim());
        let mut keeper = Command::new(here.join("postgres.sh"))
            .arg(&binaries)
            .env("POSTERN_PG_SETTINGS", settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("postgres.sh runs");
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().expect("piped")).read_line(&mut line).expect("the cluster starts");
        assert!(!line.is_empty(), "the cluster did not start");
        Self { socket_folder: line.trim().to_owned(), binaries, keeper }
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postern_owner@{}/{database}", self.socket_folder.replace('/', "%2F"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The end of its input tells the keeper to stop; then it is only a matter of waiting.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The address of a database of the cluster that all tests share.
pub fn url(database: &str) -> String {
    CLUSTER.url(database)
}
