//! What has to go, and what stays: retention and erasure. Whatever goes, what is left can still be checked.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use postern_domain::justification::Reason;
use postern_persistence::maintenance::{AuditMaintenance, RetentionReport, SubjectRef};
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
        retention_waits_for_a_pending_hold, hold_waits_for_a_running_retention,
        empty_partitions_are_dropped, other_roles_cannot_change_audit_tables, tests_on,
    };

    tests_on! { postgres, Postgres:
        empty_partitions_are_dropped,
        other_roles_cannot_change_audit_tables,
        retention_waits_for_a_pending_hold,
        hold_waits_for_a_running_retention
    }
}

async fn apply_retention(t: &App, days: i64, dry_run: bool) -> RetentionReport {
    let maintenance = AuditMaintenance::connect(&t.db.options()).await.expect("opens");
    let run = maintenance.apply_retention(days, dry_run, &t.context()).await.expect("runs");
    if t.backend != Backend::Sqlite {
        maintenance.close().await;
    }
    run
}

async fn retention_removes_events_and_keeps_hashes(t: &App) {
    t.unaccounted();
    acts(t).await;
    t.clock.turn(TimeDelta::days(40));
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Forty days later" })).await.expect(200);
    t.sequence().await;
    let (kept, keys) = (checkpoint(&owner).await, keys(&owner).await);
    let acme = "org_slug = 'acme'";
    let events = |what: String| async move {
        t.db.count(&format!("SELECT count(*) FROM audit_event WHERE {what}")).await
    };
    let before = events(acme.to_owned()).await;
    assert_eq!(apply_retention(t, 400, false).await.logs, [], "nothing is as old as that");
    let told = apply_retention(t, 30, true).await;
    assert!(
        told.logs
            .iter()
            .any(|log| log.org.as_ref().is_some_and(|org| org.slug == "acme") && log.events > 5),
        "{told:?}"
    );
    assert_eq!(events(acme.to_owned()).await, before, "saying so removes nothing");
    let run = apply_retention(t, 30, false).await;
    assert_eq!(run.logs, told.logs);
    assert_eq!(events(format!("{acme} AND summary LIKE '%Acme 2%'")).await, 0);
    assert_eq!(events(format!("{acme} AND summary LIKE '%Forty days later%'")).await, 1);
    t.sequence().await;
    // What is left is checked against what was signed, and the log says what has gone.
    let file = export(&owner).await;
    let verdict = judged(&file, keys.clone(), std::slice::from_ref(&kept));
    assert_eq!(verdict.faults, []);
    assert!(
        verdict.retired > 5
            && verdict.retired + verdict.events == verdict.size + verdict.newer + verdict.waiting,
        "{verdict:?}"
    );
    let applied =
        owner.get("/v1/orgs/acme/audit-events?action=audit.retention_applied").await.expect(200);
    assert_eq!(applied.json["data"][0]["metadata"]["events"], verdict.retired);
    let proof = format!("/v1/orgs/acme/audit-log/proof?event={}", applied.text("/data/0/id"));
    owner.get(&proof).await.expect(200);
    owner.get("/v1/orgs/acme/audit-log/tile/entries/000.p/1").await.problem(404, "not_found");
    owner.get("/v1/orgs/acme/audit-log/tile/0/000.p/1").await.expect(200);
    // A month later, and another: what goes then goes the same way, and what said so before stays.
    for _ in 0..2 {
        t.clock.turn(TimeDelta::days(31));
        let owner = t.sign_in("owner@acme.example").await;
        owner.patch("/v1/orgs/acme", json!({ "name": t.state.new_request_id() })).await.expect(200);
        t.sequence().await;
        apply_retention(t, 30, false).await;
        t.sequence().await;
        let verdict = judged(&export(&owner).await, keys.clone(), &[]);
        assert_eq!(verdict.faults, [], "{verdict:?}");
    }
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Forty days later" })).await.expect(200);
    t.sequence().await;
    // One more that goes is missed: the log does not say so.
    let triggers = if t.backend == Backend::Sqlite {
        "DROP TRIGGER audit_event_no_delete;"
    } else {
        "SET session_replication_role = replica;"
    };
    t.db.execute(&format!(
        "{triggers} DELETE FROM audit_event WHERE summary LIKE '%Forty days later%'"
    ))
    .await
    .expect("runs");
    assert_eq!(kinds(&judged(&export(&owner).await, keys, &[])), ["missing"]);
}

async fn legal_hold_blocks_retention(t: &App) {
    t.unaccounted();
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
    let run = apply_retention(t, 30, false).await;
    let slugs = |run: &RetentionReport| {
        run.logs
            .iter()
            .filter_map(|log| log.org.as_ref().map(|org| org.slug.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(slugs(&run), ["initech"], "acme is held, and globex keeps for longer");
    assert_eq!(run.held.iter().map(|org| org.slug.as_str()).collect::<Vec<_>>(), ["acme"]);
    command(&["retention", "release", "acme", "--reason", "asked for by their lawyers"]).await;
    // The commands go by the machine's clock, which is not the test's: their own events are newer.
    assert_eq!(slugs(&apply_retention(t, 30, false).await), ["acme"]);
    let owner = t.sign_in("owner@acme.example").await;
    let rules = owner
        .get("/v1/orgs/acme/audit-events?action=audit.retention_changed")
        .await
        .expect(200)
        .json;
    let rules = rules["data"].as_array().expect("a list");
    assert!(
        rules.iter().all(|event| event["reason"] == reason && event["actor"]["type"] == "system"),
        "{rules:?}"
    );
}

const HOLD: [&str; 5] = ["retention", "hold", "acme", "--reason", "asked for by their lawyers"];

/// Until somebody waits in this database for a lock of this kind.
async fn waiting(t: &App, kind: &str) {
    let sql = format!(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
         WHERE NOT granted AND locktype = '{kind}' AND datname = current_database()"
    );
    let begun = Instant::now();
    while t.db.count(&sql).await == 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "nobody waits for a lock ({kind})");
    }
}

/// A connection that holds a lock until it rolls back.
async fn locking(t: &App, sql: &str) -> sea_orm::DatabaseConnection {
    let blocker = t.db.sign_in_as(postern_tests::SUPERUSER).await;
    blocker.execute_unprepared(&format!("BEGIN; {sql}")).await.expect("is locked");
    blocker
}

/// What a removal began before the hold is gone when the hold is on.
async fn hold_waits_for_a_running_retention(t: &App) {
    t.unaccounted();
    acts(t).await;
    t.clock.turn(TimeDelta::days(500));
    let blocker = locking(t, "SELECT FROM audit_event WHERE org_slug = 'acme' FOR UPDATE").await;
    let hold = async {
        // In the middle of the removal.
        waiting(t, "transactionid").await;
        run_command(t, &HOLD).await
    };
    let looks = async {
        waiting(t, "advisory").await;
        assert_eq!(
            t.db.count("SELECT count(*) FROM retention WHERE held_since IS NOT NULL").await,
            0,
            "the hold waits"
        );
        blocker.execute_unprepared("ROLLBACK").await.expect("is let go");
    };
    let (run, (is_on, told), ()) =
        futures_util::future::join3(apply_retention(t, 30, false), hold, looks).await;
    assert!(
        is_on && run.logs.iter().any(|log| log.org.as_ref().is_some_and(|org| org.slug == "acme")),
        "{told} {run:?}"
    );
    blocker.close().await.expect("closes");
}

/// And where the hold came first, nothing goes.
async fn retention_waits_for_a_pending_hold(t: &App) {
    t.unaccounted();
    acts(t).await;
    t.clock.turn(TimeDelta::days(500));
    let blocker = locking(t, "LOCK TABLE retention IN SHARE MODE").await;
    let removal = async {
        waiting(t, "relation").await;
        apply_retention(t, 30, false).await
    };
    let looks = async {
        waiting(t, "advisory").await;
        blocker.execute_unprepared("ROLLBACK").await.expect("is let go");
    };
    let ((held, told), run, ()) =
        futures_util::future::join3(run_command(t, &HOLD), removal, looks).await;
    assert!(held, "{told}");
    assert_eq!(run.held.iter().map(|org| org.slug.as_str()).collect::<Vec<_>>(), ["acme"]);
    assert!(
        run.logs.iter().all(|log| log.org.as_ref().is_none_or(|org| org.slug != "acme")),
        "{run:?}"
    );
    blocker.close().await.expect("closes");
}

/// Runs `postern` on the test's database.
async fn run_command(t: &App, arguments: &[&str]) -> (bool, String) {
    let owner = postern_tests::as_role(&t.db.url, postern_tests::OWNER);
    let (folder, url) = (t.folder.path().to_owned(), t.db.url.clone());
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // A file has no owner to sign in as.
        let owner = if url.starts_with("sqlite:") { "" } else { owner.as_str() };
        let environment =
            [("POSTERN__DATABASE__URL", url.as_str()), ("POSTERN__DATABASE__OWNER_URL", owner)];
        let output = postern_with(&folder, &arguments, &environment);
        (output.status.success(), said(&output))
    })
    .await
    .expect("runs")
}

async fn erasure_removes_personal_data(t: &App) {
    t.unaccounted();
    let owner = acts(t).await;
    let member = t.member_id("acme", "viewer@acme.example").await;
    owner.delete(&format!("/v1/orgs/acme/members/{member}")).await.expect(204);
    t.log_in("viewer@acme.example", "not the password").await.problem(401, "invalid_credentials");
    t.sequence().await;
    let (kept, before) = (checkpoint(&owner).await, export(&owner).await);
    assert!(before.contains("viewer@acme.example"));
    let maintenance = AuditMaintenance::connect(&t.db.options()).await.expect("opens");
    let reason = Reason::try_from("asked for by themselves".to_owned()).expect("a reason");
    let erase = |email: &'static str| {
        let (maintenance, reason) = (&maintenance, reason.clone());
        async move {
            maintenance
                .erase(&SubjectRef::Email(email.to_owned()), &reason, &t.context())
                .await
                .expect("runs")
        }
    };
    assert_eq!(erase("nobody@acme.example").await, None);
    let events = erase("viewer@acme.example").await.expect("is known").events;
    assert!(events >= 3, "{events}");
    assert_eq!(
        erase("viewer@acme.example").await.map(|again| again.events),
        Some(0),
        "once is enough"
    );
    t.sequence().await;
    let file = export(&owner).await;
    assert!(!file.contains("viewer@acme.example") && !file.contains("Vera"), "{file}");
    let verdict = judged(&file, keys(&owner).await, &[kept]);
    assert_eq!(verdict.faults, [], "what is left is what was recorded");
    assert!(verdict.erased.len() >= 2, "{verdict:?}");
    let removed = owner.get("/v1/orgs/acme/audit-events?action=user.removed").await.expect(200);
    assert_eq!(
        removed.json["data"][0]["actor"]["email"], "owner@acme.example",
        "others are still there"
    );
    assert_eq!(removed.text("/data/0/target/label"), "(erased)");
    let erased: Vec<Value> =
        removed.json["data"][0]["erased_fields"].as_array().expect("a list").clone();
    assert!(
        erased.contains(&json!("target"))
            && erased.contains(&json!("summary"))
            && !erased.contains(&json!("actor")),
        "{erased:?}"
    );
    // It cannot be used to alter what somebody else is said to have done.
    let altered = file.replacen("owner@acme.example", "other@acme.example", 1);
    assert!(kinds(&judged(&altered, keys(&owner).await, &[])).contains(&"altered"));
    let eng = t.sign_in("eng@postern.example").await;
    let event = eng.get("/v1/admin/audit-events?action=privacy.erased").await.expect(200);
    let told = event.json["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| event["metadata"]["events"].as_u64().expect("a count"));
    assert_eq!(told.sum::<u64>(), events, "each log says how many of its own: {}", event.body);
    assert!(!event.body.contains("viewer@acme.example"));
    let anywhere = "SELECT count(*) FROM audit_event WHERE actor_email = 'viewer@acme.example' OR target_label LIKE '%viewer@acme%' OR summary LIKE '%viewer@acme%'";
    assert_eq!(t.db.count(anywhere).await, 0);
    if t.backend != Backend::Sqlite {
        maintenance.close().await;
    }
}

/// Whoever has not the record's keys at hand is told, and writes nothing that would be refused later.
async fn commands_with_other_audit_keys_fail(t: &App) {
    let elsewhere = t.folder.path().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).expect("a folder");
    let (url, owner) = (t.db.url.clone(), postern_tests::as_role(&t.db.url, postern_tests::OWNER));
    let owner = if url.starts_with("sqlite:") { String::new() } else { owner };
    let (succeeded, _) = run_command(
        t,
        &["staff", "grant", "viewer@acme.example", "support", "--reason", "helps on the weekend"],
    )
    .await;
    assert!(succeeded, "with the right ones it goes");
    t.unaccounted();
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
        &["work"],
    ] {
        let output = postern_with(
            &elsewhere,
            arguments,
            &[("POSTERN__DATABASE__URL", &url), ("POSTERN__DATABASE__OWNER_URL", &owner)],
        );
        assert!(
            !output.status.success() && said(&output).contains("kept with the key"),
            "{arguments:?}: {}",
            said(&output)
        );
    }
    assert_eq!(t.recorded("staff.tier_changed").await, 1);
}

async fn retention_and_erasure_commands_work(t: &App) {
    t.unaccounted();
    acts(t).await;
    let told = run_command(t, &["retention", "run", "--dry-run"]).await;
    assert!(told.0 && told.1.contains("nothing is old enough"), "{told:?}");
    let told = run_command(
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
    assert!(told.0 && told.1.contains("was taken out of"), "{told:?}");
    for refused in [
        &[
            "privacy",
            "erase",
            "--user",
            "nobody@acme.example",
            "--reason",
            "asked for by themselves",
        ][..],
        &["privacy", "erase", "--user", "viewer@acme.example", "--reason", "short"],
        &["retention", "set", "acme", "--days", "29", "--reason", "asked for by their lawyers"],
        &["retention", "set", "nowhere", "--days", "30", "--reason", "asked for by their lawyers"],
    ] {
        assert!(!run_command(t, refused).await.0, "{refused:?}");
    }
    if t.backend == Backend::Sqlite {
        let sound = run_command(t, &["doctor", "--demo"]).await;
        assert!(sound.0, "the triggers are back: {}", sound.1);
    }
}

async fn empty_partitions_are_dropped(t: &App) {
    t.unaccounted();
    let past = "CREATE TABLE audit_event_2020_01 PARTITION OF audit_event \
                FOR VALUES FROM ('016f5e66-e800-0000-0000-000000000000') TO ('016ffe0b-c400-0000-0000-000000000000')";
    t.db.execute(&format!("SET ROLE postern_audit_owner; {past}; RESET ROLE")).await.expect("made");
    let run = apply_retention(t, 400, false).await;
    assert_eq!(run.months, ["audit_event_2020_01"]);
    assert_eq!(
        t.db.count("SELECT count(*) FROM pg_class WHERE relname = 'audit_event_2020_01'").await,
        0
    );
}

/// Every role but the keeper: refused, whatever it tries.
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
    let month =
        t.db.texts("SELECT relname::text FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'audit_event_2%' LIMIT 1")
            .await;
    for table in [
        "audit_event",
        "audit_leaf",
        "audit_node",
        "audit_checkpoint",
        "audit_event_default",
        month[0].as_str(),
    ] {
        for role in ["postern_server", "postern_platform", "postern_tenant"] {
            for attempt in attempts(table) {
                login.execute_unprepared("ROLLBACK").await.expect("ends");
                let begin = if role == "postern_server" {
                    "BEGIN".to_owned()
                } else {
                    format!("BEGIN; SET LOCAL ROLE {role}")
                };
                login.execute_unprepared(&begin).await.expect("begins");
                let refused =
                    login.execute_unprepared(&attempt).await.expect_err(&attempt).to_string();
                assert!(
                    refused.contains("permission denied") || refused.contains("must be owner"),
                    "{role}: {attempt}: {refused}"
                );
            }
        }
        login.execute_unprepared("ROLLBACK").await.expect("ends");
        let refused = login
            .execute_unprepared("SET ROLE postern_audit_owner")
            .await
            .expect_err("is not its to become")
            .to_string();
        assert!(refused.contains("permission denied"), "{refused}");
    }
    login.close().await.expect("closes");
    // The owner of the schema, as itself, is stopped by the triggers; it has to become the keeper, and say so.
    let owner = t.db.sign_in_as(postern_tests::OWNER).await;
    for attempt in [
        "UPDATE audit_event SET summary = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "TRUNCATE audit_event_default",
    ] {
        let done = owner.execute_unprepared(attempt).await;
        // Row-level security shows it no rows to change; what is refused is refused aloud.
        assert!(
            done.as_ref().map_or_else(
                |error| error.to_string().contains("append-only"),
                |done| done.rows_affected() == 0
            ),
            "{attempt}: {done:?}"
        );
    }
    owner.close().await.expect("closes");
}
