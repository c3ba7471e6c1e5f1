//! The sequencer: killed, stopped or run several times at once, it loses and duplicates no event.

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
};

use postern_domain::clock::Clock;
use postern_persistence::sequencer::{self, Sequencer};
use postern_tests::{App, Backend, LOG_ORIGIN, on_all, on_both, tests_on};
use serde_json::json;

use super::{export, keys, verify};
use crate::cli::binary;

tests_on! { replicas, Postgres: second_sequencer_takes_over }

on_both![killed_sequencer_loses_and_duplicates_nothing, queue_length_and_age_are_reported];

mod concurrent {
    use super::{concurrent_sequencers_add_each_event_once, on_all};

    on_all![concurrent_sequencers_add_each_event_once];
}

/// Starts `postern worker` on the test's database.
pub fn start_worker(t: &App) -> Child {
    Command::new(binary())
        .arg("worker")
        .current_dir(t.folder.path())
        .env("POSTERN__DATABASE__URL", &t.db.url)
        .env("POSTERN__AUDIT__LOG_ORIGIN", LOG_ORIGIN)
        .env("POSTERN__AUDIT__SEQUENCER_INTERVAL_MILLISECONDS", "10")
        .env("POSTERN__LOG__FILTER", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the process starts")
}

/// Number of times that the worker is killed.
const KILLS: u32 = 50;

async fn killed_sequencer_loses_and_duplicates_nothing(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let leaf_count = || t.db.count("SELECT count(*) FROM audit_leaf");
    let mut written = 0;
    for kill in 0..KILLS {
        let mut worker = start_worker(t);
        let before = leaf_count().await;
        // Kills the worker after its first batch and a varying number of further writes.
        let random_id = t.state.ids.next::<()>(t.clock.now()).uuid();
        let mut more_writes = u128::from_be_bytes(*random_id.as_bytes()) % 7;
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
    let report = verify(&export(&owner).await, keys(&owner).await, &[]);
    assert_eq!(report.faults, [], "the log verifies");
}

/// One of two workers is suspended with SIGSTOP; the other adds new events to the log.
async fn second_sequencer_takes_over(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let mut workers = [start_worker(t), start_worker(t)];
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
        verify(&export(&owner).await, keys(&owner).await, &[]).faults,
        [],
        "the log verifies"
    );
}

async fn queue_length_and_age_are_reported(t: &App) {
    let pending = || async { sequencer::pending(&t.state.store).await.expect("the query runs") };
    t.sequence().await;
    assert_eq!(pending().await, (0, None), "the queue is empty");
    let owner = t.sign_in("owner@acme.example").await;
    t.clock.advance(chrono::TimeDelta::minutes(5));
    owner.patch("/v1/orgs/acme", json!({ "name": "Later" })).await.expect(200);
    let (events, oldest) = pending().await;
    let age = t.clock.now() - oldest.expect("an event is pending");
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

async fn concurrent_sequencers_add_each_event_once(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let globex = t.sign_in("owner@globex.example").await;
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores
            .push(t.state.store.separate_pool(&t.db.options()).await.expect("the database opens"));
    }
    for round in 0..5 {
        for n in 0..4 {
            owner
                .patch("/v1/orgs/acme", json!({ "name": format!("Acme {round} {n}") }))
                .await
                .expect(200);
            globex
                .patch("/v1/orgs/globex", json!({ "name": format!("Globex {round} {n}") }))
                .await
                .expect(200);
        }
        let runs = stores.iter().map(|store| async {
            let mut sequencer = Sequencer::new(Arc::clone(store));
            sequencer
                .run_batch(&t.context())
                .await
                .expect("the sequencer runs")
                .map_or(0, |batch| batch.events)
        });
        let sequenced: u64 = futures_util::future::join_all(runs).await.iter().sum();
        assert_eq!(
            sequenced + t.sequence().await.iter().map(|batch| batch.events).sum::<u64>(),
            if round == 0 { 8 + pending_before(t).await } else { 8 },
            "round {round}: each event is sequenced once"
        );
    }
    let gaps = "SELECT count(*) FROM (SELECT org_id FROM audit_leaf GROUP BY org_id HAVING \
                max(leaf_index) + 1 <> count(*)) AS gaps";
    assert_eq!(t.db.count(gaps).await, 0, "the indexes of each log have no gaps");
    assert_eq!(
        verify(&export(&owner).await, keys(&owner).await, &[]).faults,
        [],
        "the log verifies"
    );
    if t.backend != Backend::Sqlite {
        for store in stores {
            store.close().await;
        }
    }
}

/// Number of events that were pending before the test's changes: demo accounts and sign-ins.
async fn pending_before(t: &App) -> u64 {
    let sql = "SELECT count(*) FROM audit_event WHERE action <> 'org.updated'";
    u64::try_from(t.db.count(sql).await).expect("the count fits the type")
}
