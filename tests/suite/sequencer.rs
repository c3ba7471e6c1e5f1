//! The sequencer as a process: killed or stopped at any point, it loses and duplicates no event.

use std::process::{Child, Command, Stdio};

use postern_tests::{App, LOG_NAME, on_both, tests_on};
use serde_json::json;

use crate::{
    log::{export, judged, keys},
    process::binary,
};

tests_on! { replicas, Postgres: second_sequencer_takes_over }

on_both![killed_sequencer_loses_and_duplicates_nothing, queue_length_and_age_are_reported];

/// Starts `postern worker` on the test's database.
pub fn work(t: &App) -> Child {
    Command::new(binary())
        .arg("worker")
        .current_dir(t.folder.path())
        .env("POSTERN__DATABASE__URL", &t.db.url)
        .env("POSTERN__AUDIT__LOG_ORIGIN", LOG_NAME)
        .env("POSTERN__AUDIT__SEQUENCER_INTERVAL_MILLISECONDS", "10")
        .env("POSTERN__LOG__FILTER", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the process starts")
}

const KILLS: u32 = 50;

async fn killed_sequencer_loses_and_duplicates_nothing(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let leaf_count = || t.db.count("SELECT count(*) FROM audit_leaf");
    let mut written = 0;
    for kill in 0..KILLS {
        let mut worker = work(t);
        let before = leaf_count().await;
        // Kills the worker after its first batch and a varying number of further writes.
        let mut more_writes = u128::from_be_bytes(
            *t.state.ids.next::<()>(postern_domain::clock::Clock::now(&t.clock)).uuid().as_bytes(),
        ) % 7;
        while leaf_count().await == before || more_writes > 0 {
            more_writes = more_writes.saturating_sub(1);
            owner
                .patch("/v1/orgs/acme", json!({ "name": format!("Acme {written}") }))
                .await
                .expect(200);
            written += 1;
            assert!(
                worker.try_wait().expect("the process status is available").is_none(),
                "the worker runs after {kill} kills"
            );
        }
        worker.kill().expect("the process is killed");
        worker.wait().expect("the process ends");
    }
    assert_eq!(t.recorded("org.updated").await, written, "each write records one event");
    t.sequence().await;
    let duplicates = "SELECT count(*) FROM (SELECT event_id FROM audit_leaf GROUP BY event_id \
        HAVING count(*) > 1) AS duplicates";
    let missing = "SELECT count(*) FROM audit_event e WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l \
                   WHERE l.event_id = e.id)";
    let gaps = "SELECT count(*) FROM (SELECT org_id FROM audit_leaf GROUP BY org_id HAVING \
                max(leaf_index) + 1 <> count(*)) AS gaps";
    for inconsistent in [duplicates, missing, gaps, "SELECT count(*) FROM audit_queue"] {
        assert_eq!(t.db.count(inconsistent).await, 0, "no rows: {inconsistent}");
    }
    let report = judged(&export(&owner).await, keys(&owner).await, &[]);
    assert_eq!(report.faults, [], "the log verifies");
}

/// One of two workers is suspended with SIGSTOP; the other adds new events to the log.
async fn second_sequencer_takes_over(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let mut workers = [work(t), work(t)];
    let signal = |worker: &Child, name: &str| {
        assert!(
            Command::new("kill")
                .args([name, &worker.id().to_string()])
                .status()
                .expect("the command runs")
                .success(),
            "{name} is sent"
        );
    };
    for round in 0..6 {
        let stopped = &workers[round % 2];
        signal(stopped, "-STOP");
        owner.patch("/v1/orgs/acme", json!({ "name": format!("Acme {round}") })).await.expect(200);
        let mut polls = 0;
        while t.db.count("SELECT count(*) FROM audit_queue").await > 0 {
            polls += 1;
            assert!(polls < 100_000, "the other worker empties the queue");
        }
        signal(stopped, "-CONT");
    }
    for worker in &mut workers {
        worker.kill().expect("the process is killed");
        worker.wait().expect("the process ends");
    }
    assert_eq!(
        judged(&export(&owner).await, keys(&owner).await, &[]).faults,
        [],
        "the log verifies"
    );
}

async fn queue_length_and_age_are_reported(t: &App) {
    let waiting = || async {
        postern_persistence::sequencer::waiting(&t.state.store).await.expect("the query runs")
    };
    t.sequence().await;
    assert_eq!(waiting().await, (0, None), "the queue is empty");
    let owner = t.sign_in("owner@acme.example").await;
    t.clock.turn(chrono::TimeDelta::minutes(5));
    owner.patch("/v1/orgs/acme", json!({ "name": "Later" })).await.expect(200);
    let (events, oldest) = waiting().await;
    let age = postern_domain::clock::Clock::now(&t.clock) - oldest.expect("an event is pending");
    assert_eq!(
        (events, age.num_minutes()),
        (2, 5),
        "two events are pending, the oldest for 5 minutes"
    );
    let metrics = t.anonymous().get("/metrics").await.expect(200);
    assert_eq!(
        metrics.header("content-type"),
        "text/plain; charset=utf-8",
        "metrics are plain text"
    );
    for line in [
        "postern_audit_queue_length ",
        "postern_audit_queue_age_seconds ",
        "# HELP postern_audit_queue_age_seconds ",
    ] {
        assert!(metrics.body.contains(line), "the metrics include {line:?}: {}", metrics.body);
    }
}
