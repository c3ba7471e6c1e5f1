//! The temporary PostgreSQL cluster of a test run. The first test that needs it starts it. It stops
//! when this process ends, even if killed: `postgres.sh` waits for the end of a pipe.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

use crate::Proxy;

/// Login of the server: created by `postern migrate`, without privileges of its own.
pub const SERVER: &str = "postern_server";
/// Owner of the schema.
pub const OWNER: &str = "postern_owner";
/// Superuser, with which tests read the database and damage it.
pub const SUPERUSER: &str = "postgres";

/// A running script that keeps a server process. The script stops it at the end of its standard
/// input, so it does not outlive this process.
struct Supervised {
    process: Child,
    /// The line that it printed when it was ready.
    ready_line: String,
}

impl Supervised {
    fn start(command: &mut Command) -> Self {
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the script runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("the stream is piped"))
            .read_line(&mut line)
            .expect("the script prints a line");
        assert!(!line.is_empty(), "{command:?} did not start");
        Self { process, ready_line: line.trim().to_owned() }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Runs a `find-….sh` script, which finds or installs a program. Returns the path it prints.
fn find_program(script: &str) -> PathBuf {
    let output = Command::new(script_path(script))
        .stderr(Stdio::inherit())
        .output()
        .expect("the script runs");
    assert!(output.status.success(), "{script} failed");
    PathBuf::from(String::from_utf8(output.stdout).expect("a path in UTF-8").trim())
}

fn script_path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(script)
}

/// A running cluster. Dropping it stops it.
pub struct Cluster {
    /// Directory of the server binaries and `pgbench`.
    pub binaries: PathBuf,
    process: Supervised,
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(""));

/// `PgBouncer` in transaction mode in front of the shared cluster.
static BOUNCER: LazyLock<Supervised> = LazyLock::new(|| {
    let program = find_program("find-pgbouncer.sh");
    Supervised::start(
        Command::new(script_path("pgbouncer.sh")).arg(program).arg(CLUSTER.socket_folder()),
    )
});

impl Cluster {
    /// Starts a cluster with additional settings, such as `-c fsync=on`.
    pub fn start(settings: &str) -> Self {
        let binaries = find_program("find-postgres.sh");
        let process = Supervised::start(
            Command::new(script_path("postgres.sh"))
                .arg(&binaries)
                .env("POSTERN_PG_SETTINGS", settings),
        );
        Self { binaries, process }
    }

    #[must_use]
    pub fn socket_folder(&self) -> &str {
        &self.process.ready_line
    }

    /// URL of a database for a role: [`SERVER`], [`OWNER`] or [`SUPERUSER`].
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@{}/{database}", self.socket_folder().replace('/', "%2F"))
    }
}

/// Starts a proxy in front of the shared cluster.
pub async fn proxy() -> Proxy {
    Proxy::start(CLUSTER.socket_folder()).await
}

/// URL of a database of the shared cluster.
pub fn url(role: &str, database: &str) -> String {
    CLUSTER.url(role, database)
}

/// URL of a database of the shared cluster for the server's login, through `PgBouncer`.
pub fn pooled_url(database: &str) -> String {
    format!("postgres://{SERVER}@{}:6432/{database}", BOUNCER.ready_line.replace('/', "%2F"))
}
