//! Legal holds: retention removes nothing of an org with a hold.

use chrono::TimeDelta;
use futures_util::future::join3;
use postern_persistence::maintenance::RetentionReport;
use postern_tests::{App, on_both, tests_on};
use sea_orm::ConnectionTrait;

use super::{record_actions, retention::apply_retention, run_postern};

on_both![legal_hold_blocks_retention];

tests_on! { concurrent, Postgres:
    retention_waits_for_a_pending_hold,
    hold_waits_for_a_running_retention
}

const REASON: &str = "asked for by their lawyers";

const HOLD: [&str; 5] = ["retention", "hold", "acme", "--reason", REASON];

/// Slugs of the orgs of which events were removed.
fn cleaned_orgs(report: &RetentionReport) -> Vec<&str> {
    report.logs.iter().filter_map(|log| log.org.as_ref().map(|org| org.slug.as_str())).collect()
}

/// Slugs of the orgs with a legal hold.
fn held_orgs(report: &RetentionReport) -> Vec<&str> {
    report.held.iter().map(|org| org.slug.as_str()).collect()
}

async fn legal_hold_blocks_retention(t: &App) {
    t.skip_invariants();
    record_actions(t).await;
    run_postern(t, &HOLD).await;
    run_postern(t, &["retention", "set", "globex", "--days", "2557", "--reason", REASON]).await;
    t.clock.advance(TimeDelta::days(500));
    let report = apply_retention(t, 30, false).await;
    assert_eq!(
        cleaned_orgs(&report),
        ["initech"],
        "acme is held, and globex keeps events for longer"
    );
    assert_eq!(held_orgs(&report), ["acme"], "the report lists acme as held");
    run_postern(t, &["retention", "release", "acme", "--reason", REASON]).await;
    // The commands use the system clock, not the test clock: their events are newer.
    assert_eq!(
        cleaned_orgs(&apply_retention(t, 30, false).await),
        ["acme"],
        "after the release, acme's events are removed"
    );
    let owner = t.sign_in("owner@acme.example").await;
    let changes = owner
        .get("/v1/orgs/acme/audit-events?action=audit.retention_changed")
        .await
        .expect(200)
        .json;
    let changes = changes["data"].as_array().expect("data is an array");
    assert!(
        changes.iter().all(|event| event["reason"] == REASON && event["actor"]["type"] == "system"),
        "each change has the reason and a system actor: {changes:?}"
    );
}

/// A hold that is set during a retention run takes effect after the run.
async fn hold_waits_for_a_running_retention(t: &App) {
    t.skip_invariants();
    record_actions(t).await;
    t.clock.advance(TimeDelta::days(500));
    let blocker = t.db.lock("SELECT FROM audit_event WHERE org_slug = 'acme' FOR UPDATE").await;
    let hold = async {
        // The retention run has started and waits for the row lock.
        t.db.wait_for_lock("transactionid").await;
        run_postern(t, &HOLD).await
    };
    let release = async {
        t.db.wait_for_lock("advisory").await;
        assert_eq!(
            t.db.count("SELECT count(*) FROM retention WHERE held_since IS NOT NULL").await,
            0,
            "the hold waits for the retention run"
        );
        blocker.execute_unprepared("ROLLBACK").await.expect("the lock is released");
    };
    let (report, (hold_set, output), ()) =
        join3(apply_retention(t, 30, false), hold, release).await;
    assert!(
        hold_set && cleaned_orgs(&report).contains(&"acme"),
        "the hold is set, and acme's events are removed before: {output} {report:?}"
    );
    blocker.close().await.expect("the connection closes");
}

/// A retention run that starts while a hold is being set removes nothing of the org.
async fn retention_waits_for_a_pending_hold(t: &App) {
    t.skip_invariants();
    record_actions(t).await;
    t.clock.advance(TimeDelta::days(500));
    let blocker = t.db.lock("LOCK TABLE retention IN SHARE MODE").await;
    let retention = async {
        t.db.wait_for_lock("relation").await;
        apply_retention(t, 30, false).await
    };
    let release = async {
        t.db.wait_for_lock("advisory").await;
        blocker.execute_unprepared("ROLLBACK").await.expect("the lock is released");
    };
    let ((hold_set, output), report, ()) = join3(run_postern(t, &HOLD), retention, release).await;
    assert!(hold_set, "the hold is set: {output}");
    assert_eq!(held_orgs(&report), ["acme"], "the report lists acme as held");
    assert!(!cleaned_orgs(&report).contains(&"acme"), "nothing of acme is removed: {report:?}");
    blocker.close().await.expect("the connection closes");
}
