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

/// A script that has started something, and stops it when this goes: it waits for the end of its input, whatever becomes of us.
struct Supervised {
    process: Child,
    /// What it said once it was ready.
    told: String,
}

impl Supervised {
    fn start(command: &mut Command) -> Self {
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the script runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it starts");
        assert!(!line.is_empty(), "{command:?} did not start");
        Self { process, told: line.trim().to_owned() }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// What a script of this folder finds, or installs.
fn found(script: &str) -> PathBuf {
    let output = Command::new(script_path(script))
        .stderr(Stdio::inherit())
        .output()
        .expect("the script runs");
    assert!(output.status.success(), "{script} found nothing to test with");
    PathBuf::from(String::from_utf8(output.stdout).expect("a path in UTF-8").trim())
}

fn script_path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(script)
}

/// A cluster that lives as long as this does.
pub struct Cluster {
    /// The folder of the server's binaries, and of `pgbench`.
    pub binaries: PathBuf,
    process: Supervised,
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(""));

/// `PgBouncer` in transaction mode before the cluster that all tests share.
static BOUNCER: LazyLock<Supervised> = LazyLock::new(|| {
    let program = found("find-pgbouncer.sh");
    Supervised::start(
        Command::new(script_path("pgbouncer.sh")).arg(program).arg(CLUSTER.socket_folder()),
    )
});

impl Cluster {
    /// Starts one with further settings, as in `-c fsync=on`.
    pub fn start(settings: &str) -> Self {
        let binaries = found("find-postgres.sh");
        let process = Supervised::start(
            Command::new(script_path("postgres.sh"))
                .arg(&binaries)
                .env("POSTERN_PG_SETTINGS", settings),
        );
        Self { binaries, process }
    }

    #[must_use]
    pub fn socket_folder(&self) -> &str {
        &self.process.told
    }

    /// The address of a database for a role: [`SERVER`], [`OWNER`] or [`SUPERUSER`].
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@{}/{database}", self.socket_folder().replace('/', "%2F"))
    }
}

/// The address of a database of the cluster that all tests share.
pub fn url(role: &str, database: &str) -> String {
    CLUSTER.url(role, database)
}

/// The same address for the server's login, through `PgBouncer`.
pub fn pooled_url(database: &str) -> String {
    format!("postgres://{SERVER}@{}:6432/{database}", BOUNCER.told.replace('/', "%2F"))
}
