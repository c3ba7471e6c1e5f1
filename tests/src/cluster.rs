//! The throw-away PostgreSQL cluster: one for the whole run, started when the first test asks for it, and gone with this
//! process whatever becomes of it (`postgres.sh` waits for the end of a pipe).

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

/// Whom the server signs in as: made by `postern migrate`, it may do nothing by itself.
pub const SERVER: &str = "postern_server";
/// Who owns the schema.
pub const OWNER: &str = "postern_owner";
/// Who may do anything: what a test looks with, and does damage with.
pub const SUPERUSER: &str = "postgres";

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
        let cluster = Self { socket_folder: line.trim().to_owned(), binaries, keeper };
        // The owner of the schema is nobody special; but it may make roles, so that `postern migrate` can make the others.
        cluster.psql(&format!("CREATE ROLE {OWNER} LOGIN CREATEROLE"));
        cluster
    }

    /// The address of a database for a role: [`SERVER`], [`OWNER`] or [`SUPERUSER`].
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@{}/{database}", self.socket_folder.replace('/', "%2F"))
    }
}

impl Cluster {
    /// Runs a statement as the superuser, in the database `postgres`.
    pub fn psql(&self, sql: &str) {
        let done = Command::new(self.binaries.join("psql"))
            .args(["--quiet", "--no-psqlrc", "--host", &self.socket_folder, "--username", SUPERUSER, "--command", sql, "postgres"])
            .output()
            .expect("psql runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
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
pub fn url(role: &str, database: &str) -> String {
    CLUSTER.url(role, database)
}
