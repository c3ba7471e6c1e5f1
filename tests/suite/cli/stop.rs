//! Stop of a server whose database does not respond.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use postern_tests::{App, Failure, LOG_ORIGIN, cluster, tests_on};

use super::binary;

tests_on! { postgres, Postgres:
    server_stops_without_its_database,
    worker_stops_without_its_database
}

/// A process of `postern`, killed when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have stopped already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a command, freezes its database, and asserts that SIGTERM ends it.
async fn assert_stops(t: &App, arguments: &[&str]) {
    t.skip_invariants();
    let proxy = cluster::proxy().await;
    let child = Command::new(binary())
        .args(arguments)
        .current_dir(t.folder.path())
        .env("POSTERN__DATABASE__URL", proxy.url(&t.db.url))
        .env("POSTERN__SERVER__LISTEN", "127.0.0.1:0")
        .env("POSTERN__SERVER__DRAIN_SECONDS", "0")
        .env("POSTERN__SERVER__SHUTDOWN_TIMEOUT_SECONDS", "1")
        .env("POSTERN__DATABASE__STATEMENT_TIMEOUT_SECONDS", "600")
        .env("POSTERN__AUDIT__LOG_ORIGIN", LOG_ORIGIN)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the process starts");
    let mut process = Process(child);
    // The sequencer runs every 250 ms, so the database is in use when it freezes.
    let sequencing = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'postern' \
                      AND datname = current_database() AND query LIKE '%audit_queue%'";
    while t.db.count(sequencing).await == 0 {
        assert!(process.0.try_wait().expect("the state is known").is_none(), "it runs");
    }
    proxy.fail(Failure::Freeze);
    let id = process.0.id().to_string();
    Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
    let stopping = Instant::now();
    let status = loop {
        if let Some(status) = process.0.try_wait().expect("the state is known") {
            break status;
        }
        assert!(stopping.elapsed() < Duration::from_secs(10), "the process ends in time");
        tokio::task::yield_now().await;
    };
    let mut error = String::new();
    let stderr = process.0.stderr.as_mut().expect("the stream is piped");
    stderr.read_to_string(&mut error).expect("the error is text");
    assert!(
        !status.success() && error.contains("the database does not respond"),
        "the process reports unfinished work: {error}"
    );
    proxy.fail(Failure::None);
}

async fn server_stops_without_its_database(t: &App) {
    assert_stops(t, &["serve", "--demo"]).await;
}

async fn worker_stops_without_its_database(t: &App) {
    assert_stops(t, &["worker"]).await;
}
