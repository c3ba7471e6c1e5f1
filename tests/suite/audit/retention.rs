//! Retention: removes the contents of expired events. The remaining audit log can still be
//! verified.

use chrono::TimeDelta;
use postern_app::cli::RUN_RETENTION;
use postern_persistence::maintenance::{AuditMaintenance, RetentionReport};
use postern_tests::{App, Backend, Person, on_both, tests_on};
use serde_json::json;

use super::{checkpoint, export, fault_kinds, keys, record_actions, verify};

on_both![
    expired_events_are_removed,
    log_verifies_after_retention,
    event_deleted_without_retention_is_missing,
    platform_log_is_kept_for_the_whole_time,
];

tests_on! { partitions, Postgres: empty_partitions_are_dropped }

/// Runs retention with this default number of days.
pub async fn apply_retention(t: &App, days: i64, dry_run: bool) -> RetentionReport {
    let maintenance = AuditMaintenance::connect(&t.db.options()).await.expect("the database opens");
    let report = maintenance
        .apply_retention(days, dry_run, &RUN_RETENTION, &t.context())
        .await
        .expect("retention runs");
    if t.backend != Backend::Sqlite {
        maintenance.close().await;
    }
    report
}

/// Records events of acme, and one more 40 days later. Returns acme's owner.
async fn record_over_forty_days(t: &App) -> Person<'_> {
    t.skip_invariants();
    record_actions(t).await;
    t.clock.advance(TimeDelta::days(40));
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Forty days later" })).await.expect(200);
    t.sequence().await;
    owner
}

async fn expired_events_are_removed(t: &App) {
    record_over_forty_days(t).await;
    let acme = "org_slug = 'acme'";
    let events = |condition: String| async move {
        t.db.count(&format!("SELECT count(*) FROM audit_event WHERE {condition}")).await
    };
    let before = events(acme.to_owned()).await;
    assert_eq!(apply_retention(t, 400, false).await.logs, [], "no event is older than 400 days");
    let planned = apply_retention(t, 30, true).await;
    assert!(
        planned
            .logs
            .iter()
            .any(|log| log.org.as_ref().is_some_and(|org| org.slug == "acme") && log.events > 5),
        "acme has more than 5 events to remove: {planned:?}"
    );
    assert_eq!(events(acme.to_owned()).await, before, "a dry run removes nothing");
    let applied = apply_retention(t, 30, false).await;
    assert_eq!(applied.logs, planned.logs, "the run removes what the dry run reported");
    assert_eq!(
        events(format!("{acme} AND summary LIKE '%Acme 2%'")).await,
        0,
        "expired events are removed"
    );
    assert_eq!(
        events(format!("{acme} AND summary LIKE '%Forty days later%'")).await,
        1,
        "events younger than 30 days are kept"
    );
}

async fn log_verifies_after_retention(t: &App) {
    let owner = record_over_forty_days(t).await;
    let (stored, keys) = (checkpoint(&owner).await, keys(&owner).await);
    apply_retention(t, 30, false).await;
    t.sequence().await;
    // The remaining log verifies against the stored checkpoint, and records what was removed.
    let report = verify(&export(&owner).await, keys.clone(), &[stored]);
    assert_eq!(report.faults, [], "the remaining log verifies");
    assert!(
        report.expired > 5
            && report.expired + report.events == report.size + report.newer + report.pending,
        "every event is kept or accounted for by retention: {report:?}"
    );
    let removal =
        owner.get("/v1/orgs/acme/audit-events?action=audit.retention_applied").await.expect(200);
    assert_eq!(
        removal.json["data"][0]["metadata"]["events"], report.expired,
        "the retention event has the number of removed events"
    );
    let proof = format!("/v1/orgs/acme/audit-log/proof?event={}", removal.text("/data/0/id"));
    owner.get(&proof).await.expect(200);
    owner.get("/v1/orgs/acme/audit-log/tile/entries/000.p/1").await.problem(404, "not_found");
    owner.get("/v1/orgs/acme/audit-log/tile/0/000.p/1").await.expect(200);
    // Two more runs, a month apart: earlier retention events remain.
    for _ in 0..2 {
        t.clock.advance(TimeDelta::days(31));
        let owner = t.sign_in("owner@acme.example").await;
        owner.patch("/v1/orgs/acme", json!({ "name": t.state.new_request_id() })).await.expect(200);
        t.sequence().await;
        apply_retention(t, 30, false).await;
        t.sequence().await;
        let report = verify(&export(&owner).await, keys.clone(), &[]);
        assert_eq!(report.faults, [], "the log verifies after another run: {report:?}");
    }
}

/// An event that is deleted without retention is missing, also in a log with a retention event.
async fn event_deleted_without_retention_is_missing(t: &App) {
    let owner = record_over_forty_days(t).await;
    let keys = keys(&owner).await;
    apply_retention(t, 30, false).await;
    t.sequence().await;
    let triggers = match t.backend {
        Backend::Sqlite => "DROP TRIGGER audit_event_no_delete;",
        Backend::Postgres | Backend::PgBouncer => "SET session_replication_role = replica;",
    };
    t.db.execute(&format!(
        "{triggers} DELETE FROM audit_event WHERE summary LIKE '%Forty days later%'"
    ))
    .await
    .expect("the statement runs");
    assert_eq!(
        fault_kinds(&verify(&export(&owner).await, keys, &[])),
        ["missing"],
        "the deleted event is missing"
    );
}

async fn empty_partitions_are_dropped(t: &App) {
    t.skip_invariants();
    let create_partition = "CREATE TABLE audit_event_2020_01 PARTITION OF audit_event FOR VALUES \
        FROM ('016f5e66-e800-0000-0000-000000000000') TO ('016ffe0b-c400-0000-0000-000000000000')";
    t.db.execute(&format!("SET ROLE postern_audit_owner; {create_partition}; RESET ROLE"))
        .await
        .expect("the partition is created");
    let report = apply_retention(t, 400, false).await;
    assert_eq!(report.months, ["audit_event_2020_01"], "the empty partition is reported");
    assert_eq!(
        t.db.count("SELECT count(*) FROM pg_class WHERE relname = 'audit_event_2020_01'").await,
        0,
        "the empty partition is dropped"
    );
}

async fn platform_log_is_kept_for_the_whole_time(t: &App) {
    t.skip_invariants();
    t.log_in("unknown@acme.example", "not the password").await.problem(401, "invalid_credentials");
    t.sequence().await;
    let failed = "SELECT count(*) FROM audit_event WHERE action = 'auth.login_failed'";
    t.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    apply_retention(t, 30, false).await;
    assert_eq!(t.db.count(failed).await, 1, "the event is kept for 30 days");
    t.clock.advance(TimeDelta::seconds(2));
    apply_retention(t, 30, false).await;
    assert_eq!(t.db.count(failed).await, 0, "the event is removed after 30 days");
}
