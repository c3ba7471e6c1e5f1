//! Retention, legal holds and erasure. The remaining audit log can still be verified.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use postern_domain::{justification::Reason, user::UserRef};
use postern_persistence::maintenance::{AuditMaintenance, RetentionReport};
use postern_tests::{App, Backend, on_both, tests_on};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::{
    log::{acts, checkpoint, export, judged, keys, kinds},
    process::{postern_with, said},
};

on_both![
    retention_removes_events_and_keeps_hashes,
    legal_hold_blocks_retention,
    erasure_removes_personal_data,
    retention_and_erasure_commands_work,
    commands_with_other_audit_keys_fail,
];

mod with_roles {
    use super::{
        empty_partitions_are_dropped, hold_waits_for_a_running_retention,
        other_roles_cannot_change_audit_tables, retention_waits_for_a_pending_hold, tests_on,
    };

    tests_on! { postgres, Postgres:
        empty_partitions_are_dropped,
        other_roles_cannot_change_audit_tables,
        retention_waits_for_a_pending_hold,
        hold_waits_for_a_running_retention
    }
}

async fn apply_retention(t: &App, days: i64, dry_run: bool) -> RetentionReport {
    let maintenance = AuditMaintenance::connect(&t.db.options()).await.expect("the database opens");
    let report =
        maintenance.apply_retention(days, dry_run, &t.context()).await.expect("retention runs");
    if t.backend != Backend::Sqlite {
        maintenance.close().await;
    }
    report
}

async fn retention_removes_events_and_keeps_hashes(t: &App) {
    t.skip_invariants();
    acts(t).await;
    t.clock.turn(TimeDelta::days(40));
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Forty days later" })).await.expect(200);
    t.sequence().await;
    let (kept, keys) = (checkpoint(&owner).await, keys(&owner).await);
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
    t.sequence().await;
    // The remaining log verifies against the kept checkpoint, and records what was removed.
    let file = export(&owner).await;
    let report = judged(&file, keys.clone(), std::slice::from_ref(&kept));
    assert_eq!(report.faults, [], "the remaining log verifies");
    assert!(
        report.retired > 5
            && report.retired + report.events == report.size + report.newer + report.waiting,
        "every event is kept or accounted for by retention: {report:?}"
    );
    let removal =
        owner.get("/v1/orgs/acme/audit-events?action=audit.retention_applied").await.expect(200);
    assert_eq!(
        removal.json["data"][0]["metadata"]["events"], report.retired,
        "the retention event has the number of removed events"
    );
    let proof = format!("/v1/orgs/acme/audit-log/proof?event={}", removal.text("/data/0/id"));
    owner.get(&proof).await.expect(200);
    owner.get("/v1/orgs/acme/audit-log/tile/entries/000.p/1").await.problem(404, "not_found");
    owner.get("/v1/orgs/acme/audit-log/tile/0/000.p/1").await.expect(200);
    // Two more runs, a month apart: earlier retention events remain.
    for _ in 0..2 {
        t.clock.turn(TimeDelta::days(31));
        let owner = t.sign_in("owner@acme.example").await;
        owner.patch("/v1/orgs/acme", json!({ "name": t.state.new_request_id() })).await.expect(200);
        t.sequence().await;
        apply_retention(t, 30, false).await;
        t.sequence().await;
        let report = judged(&export(&owner).await, keys.clone(), &[]);
        assert_eq!(report.faults, [], "the log verifies after another run: {report:?}");
    }
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Forty days later" })).await.expect(200);
    t.sequence().await;
    // An event that is deleted without retention is reported as missing.
    let triggers = if t.backend == Backend::Sqlite {
        "DROP TRIGGER audit_event_no_delete;"
    } else {
        "SET session_replication_role = replica;"
    };
    t.db.execute(&format!(
        "{triggers} DELETE FROM audit_event WHERE summary LIKE '%Forty days later%'"
    ))
    .await
    .expect("the statement runs");
    assert_eq!(
        kinds(&judged(&export(&owner).await, keys, &[])),
        ["missing"],
        "the deleted event is missing"
    );
}

async fn legal_hold_blocks_retention(t: &App) {
    t.skip_invariants();
    acts(t).await;
    let command = |arguments: &'static [&'static str]| run_command(t, arguments);
    let reason = "asked for by their lawyers";
    command(&["retention", "hold", "acme", "--reason", "asked for by their lawyers"]).await;
    command(&[
        "retention",
        "set",
        "globex",
        "--days",
        "2557",
        "--reason",
        "asked for by their lawyers",
    ])
    .await;
    t.clock.turn(TimeDelta::days(500));
    let report = apply_retention(t, 30, false).await;
    let slugs = |report: &RetentionReport| {
        report
            .logs
            .iter()
            .filter_map(|log| log.org.as_ref().map(|org| org.slug.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(slugs(&report), ["initech"], "acme is held, and globex keeps events for longer");
    assert_eq!(
        report.held.iter().map(|org| org.slug.as_str()).collect::<Vec<_>>(),
        ["acme"],
        "the report lists acme as held"
    );
    command(&["retention", "release", "acme", "--reason", "asked for by their lawyers"]).await;
    // The commands use the system clock, not the test clock: their events are newer.
    assert_eq!(
        slugs(&apply_retention(t, 30, false).await),
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
        changes.iter().all(|event| event["reason"] == reason && event["actor"]["type"] == "system"),
        "each change has the reason and a system actor: {changes:?}"
    );
}

const HOLD: [&str; 5] = ["retention", "hold", "acme", "--reason", "asked for by their lawyers"];

/// Waits until a transaction in this database waits for a lock of this kind.
async fn waiting(t: &App, kind: &str) {
    let sql = format!(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND \
         locktype = '{kind}' AND datname = current_database()"
    );
    let started = Instant::now();
    while t.db.count(&sql).await == 0 {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "a transaction waits for a lock of kind {kind}"
        );
    }
}

/// A connection that holds the lock of this statement until it rolls back.
async fn locking(t: &App, sql: &str) -> sea_orm::DatabaseConnection {
    let blocker = t.db.sign_in_as(postern_tests::SUPERUSER).await;
    blocker.execute_unprepared(&format!("BEGIN; {sql}")).await.expect("the lock is acquired");
    blocker
}

/// A hold that is set during a retention run takes effect after the run.
async fn hold_waits_for_a_running_retention(t: &App) {
    t.skip_invariants();
    acts(t).await;
    t.clock.turn(TimeDelta::days(500));
    let blocker = locking(t, "SELECT FROM audit_event WHERE org_slug = 'acme' FOR UPDATE").await;
    let hold = async {
        // The retention run has started and waits for the row lock.
        waiting(t, "transactionid").await;
        run_command(t, &HOLD).await
    };
    let release = async {
        waiting(t, "advisory").await;
        assert_eq!(
            t.db.count("SELECT count(*) FROM retention WHERE held_since IS NOT NULL").await,
            0,
            "the hold waits for the retention run"
        );
        blocker.execute_unprepared("ROLLBACK").await.expect("the lock is released");
    };
    let (report, (held, output), ()) =
        futures_util::future::join3(apply_retention(t, 30, false), hold, release).await;
    assert!(
        held && report
            .logs
            .iter()
            .any(|log| log.org.as_ref().is_some_and(|org| org.slug == "acme")),
        "the hold is set, and acme's events are removed before: {output} {report:?}"
    );
    blocker.close().await.expect("the connection closes");
}

/// A retention run that starts while a hold is being set removes nothing of the org.
async fn retention_waits_for_a_pending_hold(t: &App) {
    t.skip_invariants();
    acts(t).await;
    t.clock.turn(TimeDelta::days(500));
    let blocker = locking(t, "LOCK TABLE retention IN SHARE MODE").await;
    let retention = async {
        waiting(t, "relation").await;
        apply_retention(t, 30, false).await
    };
    let release = async {
        waiting(t, "advisory").await;
        blocker.execute_unprepared("ROLLBACK").await.expect("the lock is released");
    };
    let ((held, output), report, ()) =
        futures_util::future::join3(run_command(t, &HOLD), retention, release).await;
    assert!(held, "the hold is set: {output}");
    assert_eq!(
        report.held.iter().map(|org| org.slug.as_str()).collect::<Vec<_>>(),
        ["acme"],
        "the report lists acme as held"
    );
    assert!(
        report.logs.iter().all(|log| log.org.as_ref().is_none_or(|org| org.slug != "acme")),
        "nothing of acme is removed: {report:?}"
    );
    blocker.close().await.expect("the connection closes");
}

/// Runs `postern` on the test's database.
async fn run_command(t: &App, arguments: &[&str]) -> (bool, String) {
    let owner = postern_tests::as_role(&t.db.url, postern_tests::OWNER);
    let (folder, url) = (t.folder.path().to_owned(), t.db.url.clone());
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // SQLite has no owner URL.
        let owner = if url.starts_with("sqlite:") { "" } else { owner.as_str() };
        let environment =
            [("POSTERN__DATABASE__URL", url.as_str()), ("POSTERN__DATABASE__OWNER_URL", owner)];
        let output = postern_with(&folder, &arguments, &environment);
        (output.status.success(), said(&output))
    })
    .await
    .expect("the task completes")
}

async fn erasure_removes_personal_data(t: &App) {
    t.skip_invariants();
    let owner = acts(t).await;
    let member = t.member_id("acme", "viewer@acme.example").await;
    owner.delete(&format!("/v1/orgs/acme/members/{member}")).await.expect(204);
    t.log_in("viewer@acme.example", "not the password").await.problem(401, "invalid_credentials");
    t.sequence().await;
    let (kept, before) = (checkpoint(&owner).await, export(&owner).await);
    assert!(
        before.contains("viewer@acme.example"),
        "the export contains the address before the erasure"
    );
    let maintenance = AuditMaintenance::connect(&t.db.options()).await.expect("the database opens");
    let reason =
        Reason::try_from("asked for by themselves".to_owned()).expect("the reason is valid");
    let erase = |email: &'static str| {
        let (maintenance, reason) = (&maintenance, reason.clone());
        async move {
            maintenance
                .erase(&UserRef::Email(email.to_owned()), &reason, &t.context())
                .await
                .expect("the erasure runs")
        }
    };
    assert_eq!(erase("unknown@acme.example").await, None, "an unknown address is not found");
    let events = erase("viewer@acme.example").await.expect("the user exists").events;
    assert!(events >= 3, "at least 3 events contain personal data of the user, not {events}");
    assert_eq!(
        erase("viewer@acme.example").await.map(|again| again.events),
        Some(0),
        "a second erasure changes no events"
    );
    t.sequence().await;
    let file = export(&owner).await;
    assert!(
        !file.contains("viewer@acme.example") && !file.contains("Vera"),
        "the export contains neither address nor name: {file}"
    );
    let report = judged(&file, keys(&owner).await, &[kept]);
    assert_eq!(report.faults, [], "the remaining log verifies");
    assert!(report.erased.len() >= 2, "the report lists the erased events: {report:?}");
    let removed = owner.get("/v1/orgs/acme/audit-events?action=user.removed").await.expect(200);
    assert_eq!(
        removed.json["data"][0]["actor"]["email"], "owner@acme.example",
        "fields of other users are unchanged"
    );
    assert_eq!(
        removed.text("/data/0/target/label"),
        "(erased)",
        "the label of the target is erased"
    );
    let erased: Vec<Value> = removed.json["data"][0]["erased_fields"]
        .as_array()
        .expect("erased_fields is an array")
        .clone();
    assert!(
        erased.contains(&json!("target"))
            && erased.contains(&json!("summary"))
            && !erased.contains(&json!("actor")),
        "target and summary are erased, the actor is not: {erased:?}"
    );
    // An erasure does not hide changes to the fields of other users.
    let altered = file.replacen("owner@acme.example", "other@acme.example", 1);
    assert!(
        kinds(&judged(&altered, keys(&owner).await, &[])).contains(&"altered"),
        "a changed actor is reported"
    );
    let eng = t.sign_in("eng@postern.example").await;
    let event = eng.get("/v1/admin/audit-events?action=privacy.erased").await.expect(200);
    let counts = event.json["data"]
        .as_array()
        .expect("data is an array")
        .iter()
        .map(|event| event["metadata"]["events"].as_u64().expect("events is a number"));
    assert_eq!(
        counts.sum::<u64>(),
        events,
        "the counts of all logs add up to the total: {}",
        event.body
    );
    assert!(
        !event.body.contains("viewer@acme.example"),
        "the erasure event does not contain the address"
    );
    let occurrences = "SELECT count(*) FROM audit_event WHERE actor_email = 'viewer@acme.example' \
        OR target_label LIKE '%viewer@acme%' OR summary LIKE '%viewer@acme%'";
    assert_eq!(t.db.count(occurrences).await, 0, "no event contains the address");
    if t.backend != Backend::Sqlite {
        maintenance.close().await;
    }
}

/// Commands without the installation's audit keys fail, and write no event that the sequencer would
/// reject.
async fn commands_with_other_audit_keys_fail(t: &App) {
    let empty_dir = t.folder.path().join("without-keys");
    std::fs::create_dir_all(&empty_dir).expect("the directory is created");
    let (url, owner) = (t.db.url.clone(), postern_tests::as_role(&t.db.url, postern_tests::OWNER));
    let owner = if url.starts_with("sqlite:") { String::new() } else { owner };
    let (succeeded, _) = run_command(
        t,
        &["staff", "grant", "viewer@acme.example", "support", "--reason", "helps on the weekend"],
    )
    .await;
    assert!(succeeded, "the command succeeds with the audit keys");
    t.skip_invariants();
    for arguments in [
        &["staff", "revoke", "viewer@acme.example", "--reason", "helps no longer at all"][..],
        &["retention", "run"],
        &[
            "privacy",
            "erase",
            "--user",
            "viewer@acme.example",
            "--reason",
            "asked for by themselves",
        ],
        &["serve", "--demo"],
        &["worker"],
    ] {
        let output = postern_with(
            &empty_dir,
            arguments,
            &[("POSTERN__DATABASE__URL", &url), ("POSTERN__DATABASE__OWNER_URL", &owner)],
        );
        assert!(
            !output.status.success() && said(&output).contains("bound to the audit key"),
            "{arguments:?} fails: {}",
            said(&output)
        );
    }
    assert_eq!(
        t.recorded("staff.tier_changed").await,
        1,
        "only the change with the audit keys is recorded"
    );
}

async fn retention_and_erasure_commands_work(t: &App) {
    t.skip_invariants();
    acts(t).await;
    let result = run_command(t, &["retention", "run", "--dry-run"]).await;
    assert!(
        result.0 && result.1.contains("no expired events"),
        "the dry run has nothing to remove: {result:?}"
    );
    let result = run_command(
        t,
        &[
            "privacy",
            "erase",
            "--user",
            "viewer@acme.example",
            "--reason",
            "asked for by themselves",
        ],
    )
    .await;
    assert!(
        result.0 && result.1.contains("erased viewer@acme.example from"),
        "the erasure succeeds: {result:?}"
    );
    for invalid in [
        &[
            "privacy",
            "erase",
            "--user",
            "unknown@acme.example",
            "--reason",
            "asked for by themselves",
        ][..],
        &["privacy", "erase", "--user", "viewer@acme.example", "--reason", "short"],
        &["retention", "set", "acme", "--days", "29", "--reason", "asked for by their lawyers"],
        &["retention", "set", "nowhere", "--days", "30", "--reason", "asked for by their lawyers"],
    ] {
        assert!(!run_command(t, invalid).await.0, "{invalid:?} fails");
    }
    if t.backend == Backend::Sqlite {
        let healthy = run_command(t, &["doctor", "--demo"]).await;
        assert!(healthy.0, "the append-only triggers are restored: {}", healthy.1);
    }
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

/// Roles other than the audit owner cannot change or remove audit tables or their rows.
async fn other_roles_cannot_change_audit_tables(t: &App) {
    acts(t).await;
    let attempts = |table: &str| {
        vec![
            format!("UPDATE {table} SET org_id = NULL"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("ALTER TABLE {table} OWNER TO postern_server"),
        ]
    };
    let login = t.db.sign_in_as(postern_tests::SERVER).await;
    let partition =
        t.db.texts(
            "SELECT relname::text FROM pg_class WHERE relispartition AND relkind = 'r' AND relname \
             LIKE 'audit_event_2%' LIMIT 1",
        )
        .await;
    for table in [
        "audit_event",
        "audit_leaf",
        "audit_node",
        "audit_checkpoint",
        "audit_event_default",
        partition[0].as_str(),
    ] {
        for role in ["postern_server", "postern_platform", "postern_tenant"] {
            for attempt in attempts(table) {
                login.execute_unprepared("ROLLBACK").await.expect("the transaction ends");
                let begin = if role == "postern_server" {
                    "BEGIN".to_owned()
                } else {
                    format!("BEGIN; SET LOCAL ROLE {role}")
                };
                login.execute_unprepared(&begin).await.expect("the transaction begins");
                let refused =
                    login.execute_unprepared(&attempt).await.expect_err(&attempt).to_string();
                assert!(
                    refused.contains("permission denied") || refused.contains("must be owner"),
                    "{role}: {attempt} is denied: {refused}"
                );
            }
        }
        login.execute_unprepared("ROLLBACK").await.expect("the transaction ends");
        let refused = login
            .execute_unprepared("SET ROLE postern_audit_owner")
            .await
            .expect_err("the login cannot become the audit owner")
            .to_string();
        assert!(
            refused.contains("permission denied"),
            "the login cannot become the audit owner: {refused}"
        );
    }
    login.close().await.expect("the connection closes");
    // The triggers stop the schema owner unless it explicitly becomes the audit owner.
    let owner = t.db.sign_in_as(postern_tests::OWNER).await;
    for attempt in [
        "UPDATE audit_event SET summary = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "TRUNCATE audit_event_default",
    ] {
        let done = owner.execute_unprepared(attempt).await;
        // Row-level security hides all rows, so UPDATE and DELETE change none; TRUNCATE fails.
        assert!(
            done.as_ref().map_or_else(
                |error| error.to_string().contains("append-only"),
                |done| done.rows_affected() == 0
            ),
            "{attempt} changes nothing: {done:?}"
        );
    }
    owner.close().await.expect("the connection closes");
}
