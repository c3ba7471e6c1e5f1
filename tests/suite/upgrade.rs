//! A database from before there was a log: its events get their place in it, and what they say stays.

use std::sync::Arc;

use postern_migration::Migrator;
use postern_persistence::{
    AuditKeys, Options, Store,
    schema::{self, MigrationOutcome},
    sequencer::Sequencer,
};
use postern_tests::{App, Backend, LOG_NAME, OWNER, SUPERUSER, as_role, on_both, store_options};
use sea_orm::{ConnectionTrait, Database, Statement};
use sea_orm_migration::MigratorTrait;

on_both![earlier_events_are_added_to_the_log];

/// The last migration before there was a log.
const BEFORE: u32 = 11;

async fn earlier_events_are_added_to_the_log(t: &App) {
    let url = match t.backend {
        Backend::Sqlite => {
            format!("sqlite://{}?mode=rwc", t.folder.path().join("old.db").display())
        }
        Backend::Postgres | Backend::PgBouncer => {
            let name = t.db.url.rsplit('/').next().expect("a name");
            t.db.execute(&format!("CREATE DATABASE {name}_old OWNER {OWNER}")).await.expect("made");
            format!("{}_old", t.db.url)
        }
    };
    let old = Database::connect(as_role(&url, OWNER)).await.expect("opens");
    Migrator::up(&old, Some(BEFORE)).await.expect("is as it was then");
    let (id, time) = match t.backend {
        Backend::Sqlite => {
            ("unhex(printf('019a9f2e5c0070008000%012x', n))", "'2026-01-01T00:00:00.000+00:00'")
        }
        Backend::Postgres | Backend::PgBouncer => (
            "('019a9f2e5c0070008000' || lpad(to_hex(n), 12, '0'))::uuid",
            "'2026-01-01T00:00:00Z'::timestamptz",
        ),
    };
    // The wall as it stood then: it binds the owner as well.
    if t.backend != Backend::Sqlite {
        let wall = "CREATE POLICY platform ON audit_event TO postern_platform USING (true) WITH CHECK (true); \
                    ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY";
        old.execute_unprepared(wall).await.expect("stands");
    }
    let rows = format!(
        "INSERT INTO audit_event (id, occurred_at, actor_type, action, outcome, target_type, target_label, summary, metadata, schema_version)
         WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5000)
         SELECT {id}, {time}, 'system', 'org.updated', 'succeeded', 'org', 'label ' || n, 'summary ' || n, '{{}}', 1 FROM r"
    );
    old.close().await.expect("closes");
    let anybody = Database::connect(as_role(&url, SUPERUSER)).await.expect("opens");
    anybody.execute_unprepared(&rows).await.expect("were recorded then");
    anybody.close().await.expect("closes");

    let folder = tempfile::tempdir().expect("a folder");
    let audit_keys = AuditKeys::open(folder.path(), LOG_NAME, true, t.context().now).expect("keys");
    let options = Options { audit_keys: Some(Arc::new(audit_keys)), ..store_options(&url) };
    let done = schema::migrate(&options).await.expect("runs");
    assert!(matches!(done, MigrationOutcome::Done), "{done:?}");
    let store = Store::connect(&options).await.expect("opens");
    let mut sequencer = Sequencer::new(Arc::clone(&store));
    let mut pumped = 0;
    loop {
        let turn = sequencer
            .run_batch(&t.context())
            .await
            .expect("works")
            .expect("it is nobody else's turn");
        assert!(turn.damaged.is_empty(), "{:?}", turn.damaged);
        assert_eq!(turn.rejected, []);
        if turn.events == 0 {
            break;
        }
        pumped += turn.events;
    }
    assert_eq!(pumped, 5_000);
    store.close().await;
    let new = Database::connect(as_role(&url, SUPERUSER)).await.expect("opens");
    let sound = "SELECT count(*) FROM audit_event e JOIN audit_leaf l ON l.event_id = e.id \
                 WHERE e.summary = 'summary ' || substr(e.target_label, 7) AND length(e.salts) = 112";
    let count = |sql: &'static str| {
        let new = &new;
        async move {
            let row = new
                .query_one_raw(Statement::from_string(new.get_database_backend(), sql))
                .await
                .expect("runs")
                .expect("a row");
            row.try_get_by_index::<i64>(0).expect("a number")
        }
    };
    assert_eq!(count(sound).await, 5_000);
    assert_eq!(
        count("SELECT count(DISTINCT salts) FROM audit_event").await,
        5_000,
        "each has salts of its own"
    );
    // A second time there is nothing to adopt: what has no place then has none for a reason.
    assert!(matches!(schema::migrate(&options).await.expect("runs"), MigrationOutcome::Done));
    assert_eq!(count("SELECT count(*) FROM audit_queue").await, 0);
    // Whoever has the database alone does not get what they made up into the log by having it taken over once more.
    new.execute_unprepared("DELETE FROM instance WHERE key = 'log_backfilled'")
        .await
        .expect("is gone");
    assert!(matches!(
        schema::migrate(&options).await.expect("nothing is to be taken over"),
        MigrationOutcome::Done
    ));
    let salts = if t.backend == Backend::Sqlite {
        "randomblob(112)"
    } else {
        "decode(repeat('ab', 112), 'hex')"
    };
    let made_up = format!(
        "DELETE FROM instance WHERE key = 'log_backfilled';
         INSERT INTO audit_event (id, occurred_at, actor_type, action, outcome, target_type, target_label, summary, metadata, schema_version, salts)
         SELECT {id}, {time}, 'system', 'org.updated', 'succeeded', 'org', 'label', 'made up', '{{}}', 1, {salts} FROM (SELECT 5001 AS n) AS r"
    );
    new.execute_unprepared(&made_up).await.expect("is made up");
    let refused = schema::migrate(&options).await.expect_err("it was done before").to_string();
    assert!(refused.contains("log.backfilled"), "{refused}");
    new.close().await.expect("closes");
    if t.backend != Backend::Sqlite {
        let name = url.rsplit('/').next().expect("a name");
        t.db.execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.expect("gone");
    }
}
