//! Upgrade of a database without a transparency log: existing events are added to the log
//! unchanged.

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

/// Number of migrations before the one that creates the transparency log.
const BEFORE: u32 = 11;

async fn earlier_events_are_added_to_the_log(t: &App) {
    let url = match t.backend {
        Backend::Sqlite => {
            format!("sqlite://{}?mode=rwc", t.folder.path().join("old.db").display())
        }
        Backend::Postgres | Backend::PgBouncer => {
            let name = t.db.url.rsplit('/').next().expect("the database URL ends with a name");
            t.db.execute(&format!("CREATE DATABASE {name}_old OWNER {OWNER}"))
                .await
                .expect("the database is created");
            format!("{}_old", t.db.url)
        }
    };
    let old = Database::connect(as_role(&url, OWNER)).await.expect("the database opens");
    Migrator::up(&old, Some(BEFORE)).await.expect("the older migrations run");
    let (id, time) = match t.backend {
        Backend::Sqlite => {
            ("unhex(printf('019a9f2e5c0070008000%012x', n))", "'2026-01-01T00:00:00.000+00:00'")
        }
        Backend::Postgres | Backend::PgBouncer => (
            "('019a9f2e5c0070008000' || lpad(to_hex(n), 12, '0'))::uuid",
            "'2026-01-01T00:00:00Z'::timestamptz",
        ),
    };
    // Row-level security of that version. It applies to the owner as well.
    if t.backend != Backend::Sqlite {
        let rls = "CREATE POLICY platform ON audit_event TO postern_platform USING (true) WITH \
                   CHECK (true); ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY, FORCE ROW \
                   LEVEL SECURITY";
        old.execute_unprepared(rls).await.expect("row-level security is enabled");
    }
    let rows = format!(
        "INSERT INTO audit_event (id, occurred_at, actor_type, action, outcome, target_type, \
         target_label, summary, metadata, schema_version) WITH RECURSIVE r(n) AS (SELECT 1 UNION \
         ALL SELECT n + 1 FROM r WHERE n < 5000) SELECT {id}, {time}, 'system', 'org.updated', \
         'succeeded', 'org', 'label ' || n, 'summary ' || n, '{{}}', 1 FROM r"
    );
    old.close().await.expect("the connection closes");
    let superuser = Database::connect(as_role(&url, SUPERUSER)).await.expect("the database opens");
    superuser.execute_unprepared(&rows).await.expect("the events are inserted");
    superuser.close().await.expect("the connection closes");

    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let audit_keys = AuditKeys::open(folder.path(), LOG_NAME, true, t.context().now)
        .expect("the audit keys open");
    let options = Options { audit_keys: Some(Arc::new(audit_keys)), ..store_options(&url) };
    let migrated = schema::migrate(&options).await.expect("migrate runs");
    assert!(matches!(migrated, MigrationOutcome::Done), "the migration completes: {migrated:?}");
    let store = Store::connect(&options).await.expect("the database opens");
    let mut sequencer = Sequencer::new(Arc::clone(&store));
    let mut sequenced = 0;
    loop {
        let batch = sequencer
            .run_batch(&t.context())
            .await
            .expect("the sequencer runs")
            .expect("no other sequencer holds the lock");
        assert!(batch.damaged.is_empty(), "no log is damaged: {:?}", batch.damaged);
        assert_eq!(batch.rejected, [], "no event is rejected");
        if batch.events == 0 {
            break;
        }
        sequenced += batch.events;
    }
    assert_eq!(sequenced, 5_000, "each event is sequenced");
    store.close().await;
    let new = Database::connect(as_role(&url, SUPERUSER)).await.expect("the database opens");
    let unchanged = "SELECT count(*) FROM audit_event e JOIN audit_leaf l ON l.event_id = e.id \
        WHERE e.summary = 'summary ' || substr(e.target_label, 7) AND length(e.salts) = 112";
    let count = |sql: &'static str| {
        let new = &new;
        async move {
            let row = new
                .query_one_raw(Statement::from_string(new.get_database_backend(), sql))
                .await
                .expect("the query runs")
                .expect("the query returns a row");
            row.try_get_by_index::<i64>(0).expect("the column is a number")
        }
    };
    assert_eq!(count(unchanged).await, 5_000, "each event is in the log and unchanged");
    assert_eq!(
        count("SELECT count(DISTINCT salts) FROM audit_event").await,
        5_000,
        "each event has its own salts"
    );
    // A second migration adds nothing: events that are not in the log then were rejected.
    assert!(
        matches!(schema::migrate(&options).await.expect("migrate runs"), MigrationOutcome::Done),
        "the second migration completes"
    );
    assert_eq!(
        count("SELECT count(*) FROM audit_queue").await,
        0,
        "the second migration queues no events"
    );
    // Access to the database alone does not allow a forged event into the log through a repeated
    // backfill.
    new.execute_unprepared("DELETE FROM instance WHERE key = 'log_backfilled'")
        .await
        .expect("the row is deleted");
    assert!(
        matches!(schema::migrate(&options).await.expect("migrate runs"), MigrationOutcome::Done),
        "the third migration completes"
    );
    let salts = if t.backend == Backend::Sqlite {
        "randomblob(112)"
    } else {
        "decode(repeat('ab', 112), 'hex')"
    };
    let forged = format!(
        "DELETE FROM instance WHERE key = 'log_backfilled'; INSERT INTO audit_event (id, \
         occurred_at, actor_type, action, outcome, target_type, target_label, summary, metadata, \
         schema_version, salts) SELECT {id}, {time}, 'system', 'org.updated', 'succeeded', 'org', \
         'label', 'forged', '{{}}', 1, {salts} FROM (SELECT 5001 AS n) AS r"
    );
    new.execute_unprepared(&forged).await.expect("the forged event is inserted");
    let error = schema::migrate(&options).await.expect_err("a repeated backfill fails").to_string();
    assert!(error.contains("log.backfilled"), "the error names the instance key: {error}");
    new.close().await.expect("the connection closes");
    if t.backend != Backend::Sqlite {
        let name = url.rsplit('/').next().expect("the database URL ends with a name");
        t.db.execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
            .await
            .expect("the database is dropped");
    }
}
