//! The pump dies at any moment, and nothing is lost or doubled.

use std::process::{Child, Command, Stdio};

use postern_tests::{App, LOG_NAME, on_both, tests_on};
use serde_json::json;

use crate::{
    log::{export, judged, keys},
    process::binary,
};

tests_on! { replicas, Postgres: second_sequencer_takes_over }

on_both![killed_sequencer_loses_and_duplicates_nothing, queue_length_and_age_are_reported];

/// `postern work` on the test's database.
pub fn work(t: &App) -> Child {
    Command::new(binary())
        .arg("work")
        .current_dir(t.folder.path())
        .env("POSTERN__DATABASE__URL", &t.db.url)
        .env("POSTERN__AUDIT__NAME", LOG_NAME)
        .env("POSTERN__AUDIT__PUMP_INTERVAL_MILLISECONDS", "10")
        .env("POSTERN__LOG__FILTER", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("starts")
}

const KILLS: u32 = 50;

async fn killed_sequencer_loses_and_duplicates_nothing(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let placed = || t.db.count("SELECT count(*) FROM audit_leaf");
    let mut written = 0;
    for kill in 0..KILLS {
        let mut worker = work(t);
        let before = placed().await;
        // It is at work, and has been for so many writes more: at another moment each time.
        let mut more = u128::from_be_bytes(
            *t.state.ids.next::<()>(postern_domain::clock::Clock::now(&t.clock)).uuid().as_bytes(),
        ) % 7;
        while placed().await == before || more > 0 {
            more = more.saturating_sub(1);
            owner
                .patch("/v1/orgs/acme", json!({ "name": format!("Acme {written}") }))
                .await
                .expect(200);
            written += 1;
            assert!(
                worker.try_wait().expect("is there").is_none(),
                "it works on its own after {kill} kills"
            );
        }
        worker.kill().expect("dies");
        worker.wait().expect("is dead");
    }
    assert_eq!(t.recorded("org.updated").await, written, "each write is an event");
    t.sequence().await;
    let twice = "SELECT count(*) FROM (SELECT event_id FROM audit_leaf GROUP BY event_id HAVING count(*) > 1) AS twice";
    let without = "SELECT count(*) FROM audit_event e WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.event_id = e.id)";
    let torn = "SELECT count(*) FROM (SELECT org_id FROM audit_leaf GROUP BY org_id HAVING max(leaf_index) + 1 <> count(*)) AS torn";
    for never in [twice, without, torn, "SELECT count(*) FROM audit_queue"] {
        assert_eq!(t.db.count(never).await, 0, "{never}");
    }
    let verdict = judged(&export(&owner).await, keys(&owner).await, &[]);
    assert_eq!(verdict.faults, []);
}

/// One process is stopped without a word, wherever it is; the other goes on with what comes.
async fn second_sequencer_takes_over(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let mut workers = [work(t), work(t)];
    let signal = |worker: &Child, name: &str| {
        assert!(
            Command::new("kill")
                .args([name, &worker.id().to_string()])
                .status()
                .expect("runs")
                .success()
        );
    };
    for round in 0..6 {
        let stopped = &workers[round % 2];
        signal(stopped, "-STOP");
        owner.patch("/v1/orgs/acme", json!({ "name": format!("Acme {round}") })).await.expect(200);
        let mut asked = 0;
        while t.db.count("SELECT count(*) FROM audit_queue").await > 0 {
            asked += 1;
            assert!(asked < 100_000, "the other does not take over");
        }
        signal(stopped, "-CONT");
    }
    for worker in &mut workers {
        worker.kill().expect("dies");
        worker.wait().expect("is dead");
    }
    assert_eq!(judged(&export(&owner).await, keys(&owner).await, &[]).faults, []);
}

async fn queue_length_and_age_are_reported(t: &App) {
    let waiting = || async {
        postern_persistence::sequencer::waiting(&t.state.store).await.expect("is told")
    };
    t.sequence().await;
    assert_eq!(waiting().await, (0, None));
    let owner = t.sign_in("owner@acme.example").await;
    t.clock.turn(chrono::TimeDelta::minutes(5));
    owner.patch("/v1/orgs/acme", json!({ "name": "Later" })).await.expect(200);
    let (events, oldest) = waiting().await;
    let age = postern_domain::clock::Clock::now(&t.clock) - oldest.expect("something waits");
    assert_eq!((events, age.num_minutes()), (2, 5));
    let figures = t.anonymous().get("/metrics").await.expect(200);
    assert_eq!(figures.header("content-type"), "text/plain; charset=utf-8");
    for line in [
        "postern_audit_queue_length ",
        "postern_audit_queue_age_seconds ",
        "# HELP postern_audit_queue_age_seconds ",
    ] {
        assert!(figures.body.contains(line), "{}", figures.body);
    }
}
