//! Upgrades of databases of earlier versions: events are added to the transparency log unchanged,
//! and sessions get the network of their client.

use std::{path::Path, sync::Arc};

use postern_keystore::AuditKeys;
use postern_migration::Migrator;
use postern_persistence::{
    Options, Store,
    schema::{self, MigrationOutcome},
    sequencer::Sequencer,
};
use postern_tests::{App, Backend, LOG_ORIGIN, OWNER, SUPERUSER, as_role, on_both, store_options};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use sea_orm_migration::MigratorTrait;

on_both![
    earlier_events_are_added_to_the_log,
    earlier_events_are_added_once,
    earlier_sessions_get_a_network,
];

/// Number of migrations before the one that creates the transparency log.
const BEFORE_LOG: u32 = 11;

/// Number of migrations before the one that adds the networks of clients.
const BEFORE_NETWORKS: u32 = 15;

/// A database of an earlier version.
struct OldDatabase {
    backend: Backend,
    url: String,
}

impl OldDatabase {
    /// Creates the database of the version without a transparency log, with this number of events.
    async fn with_events(t: &App, events: u32) -> Self {
        let old = Self::create(t, BEFORE_LOG, "audit_event").await;
        let values = format!(
            "'label ' || n, 'summary ' || n, '{{}}', 1 FROM (WITH RECURSIVE r(n) AS (SELECT 1 \
             UNION ALL SELECT n + 1 FROM r WHERE n < {events}) SELECT n FROM r) AS r"
        );
        let columns = "target_label, summary, metadata, schema_version";
        old.execute(&old.insert_events(columns, &values)).await;
        old
    }

    /// Creates the database with this number of migrations, and row-level security of a table.
    async fn create(t: &App, migrations: u32, secured_table: &str) -> Self {
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
        let old = Self { backend: t.backend, url };
        old.migrate(migrations, secured_table).await;
        old
    }

    async fn migrate(&self, migrations: u32, secured_table: &str) {
        let owner = Database::connect(as_role(&self.url, OWNER)).await.expect("the database opens");
        Migrator::up(&owner, Some(migrations)).await.expect("the older migrations run");
        // Row-level security applies to the owner as well.
        if self.backend != Backend::Sqlite {
            let rls = format!(
                "CREATE POLICY platform ON {secured_table} TO postern_platform USING (true) WITH \
                 CHECK (true); ALTER TABLE {secured_table} ENABLE ROW LEVEL SECURITY, FORCE ROW \
                 LEVEL SECURITY"
            );
            owner.execute_unprepared(&rls).await.expect("row-level security is enabled");
        }
        owner.close().await.expect("the connection closes");
    }

    /// INSERT of events with these further columns. `values` ends with a FROM clause of numbers
    /// `n`.
    fn insert_events(&self, columns: &str, values: &str) -> String {
        let (id, time) = match self.backend {
            Backend::Sqlite => {
                ("unhex(printf('019a9f2e5c0070008000%012x', n))", "'2026-01-01T00:00:00.000+00:00'")
            }
            Backend::Postgres | Backend::PgBouncer => (
                "('019a9f2e5c0070008000' || lpad(to_hex(n), 12, '0'))::uuid",
                "'2026-01-01T00:00:00Z'::timestamptz",
            ),
        };
        format!(
            "INSERT INTO audit_event (id, occurred_at, actor_type, action, outcome, target_type, \
             {columns}) SELECT {id}, {time}, 'system', 'org.updated', 'succeeded', 'org', {values}"
        )
    }

    /// The server's options, with new audit keys in `folder`.
    fn options(&self, t: &App, folder: &Path) -> Options {
        let audit_keys = AuditKeys::open(folder, LOG_ORIGIN, true, t.context().now)
            .expect("the audit keys open");
        Options { audit_keys: Some(Arc::new(audit_keys)), ..store_options(&self.url) }
    }

    async fn superuser(&self) -> DatabaseConnection {
        Database::connect(as_role(&self.url, SUPERUSER)).await.expect("the database opens")
    }

    async fn execute(&self, sql: &str) {
        let superuser = self.superuser().await;
        superuser.execute_unprepared(sql).await.expect(sql);
        superuser.close().await.expect("the connection closes");
    }

    async fn count(&self, sql: &str) -> i64 {
        let superuser = self.superuser().await;
        let statement = Statement::from_string(superuser.get_database_backend(), sql);
        let row = superuser
            .query_one_raw(statement)
            .await
            .expect("the query runs")
            .expect("the query returns a row");
        superuser.close().await.expect("the connection closes");
        row.try_get_by_index(0).expect("the column is a number")
    }

    async fn drop(self, t: &App) {
        if self.backend != Backend::Sqlite {
            let name = self.url.rsplit('/').next().expect("the database URL ends with a name");
            t.db.execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
                .await
                .expect("the database is dropped");
        }
    }
}

async fn assert_migrates(options: &Options) {
    let outcome = schema::migrate(options).await.expect("migrate runs");
    assert!(matches!(outcome, MigrationOutcome::Done), "the migration completes: {outcome:?}");
}

/// Adds all pending events to their logs. Returns their number.
async fn sequence(t: &App, options: &Options) -> u64 {
    let store = Store::connect(options).await.expect("the database opens");
    let mut sequencer = Sequencer::new(Arc::clone(&store));
    let mut events = 0;
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
        events += batch.events;
    }
    store.close().await;
    events
}

async fn earlier_events_are_added_to_the_log(t: &App) {
    let old = OldDatabase::with_events(t, 5_000).await;
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let options = old.options(t, folder.path());
    assert_migrates(&options).await;
    assert_eq!(sequence(t, &options).await, 5_000, "each event is sequenced");
    let unchanged = "SELECT count(*) FROM audit_event e JOIN audit_leaf l ON l.event_id = e.id \
        WHERE e.summary = 'summary ' || substr(e.target_label, 7) AND length(e.salts) = 112";
    assert_eq!(old.count(unchanged).await, 5_000, "each event is in the log and unchanged");
    assert_eq!(
        old.count("SELECT count(DISTINCT salts) FROM audit_event").await,
        5_000,
        "each event has its own salts"
    );
    old.drop(t).await;
}

async fn earlier_events_are_added_once(t: &App) {
    let old = OldDatabase::with_events(t, 10).await;
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let options = old.options(t, folder.path());
    assert_migrates(&options).await;
    assert_eq!(sequence(t, &options).await, 10, "each event is sequenced");
    // A second migration adds nothing: events that are not in the log then were rejected.
    assert_migrates(&options).await;
    assert_eq!(
        old.count("SELECT count(*) FROM audit_queue").await,
        0,
        "the second migration queues no events"
    );
    // Access to the database alone does not allow a forged event into the log through a repeated
    // backfill.
    old.execute("DELETE FROM instance WHERE key = 'log_backfilled'").await;
    assert_migrates(&options).await;
    let salts = match t.backend {
        Backend::Sqlite => "randomblob(112)",
        Backend::Postgres | Backend::PgBouncer => "decode(repeat('ab', 112), 'hex')",
    };
    let forged = old.insert_events(
        "target_label, summary, metadata, schema_version, salts",
        &format!("'label', 'forged', '{{}}', 1, {salts} FROM (SELECT 5001 AS n) AS r"),
    );
    old.execute(&format!("DELETE FROM instance WHERE key = 'log_backfilled'; {forged}")).await;
    let error = schema::migrate(&options).await.expect_err("a repeated backfill fails").to_string();
    assert!(error.contains("log.backfilled"), "the error names the instance key: {error}");
    old.drop(t).await;
}

async fn earlier_sessions_get_a_network(t: &App) {
    let old = OldDatabase::create(t, BEFORE_NETWORKS, "session").await;
    let (ids, time) = match t.backend {
        Backend::Sqlite => (["x'01'", "x'02'", "x'03'"], "'2026-01-01T00:00:00.000+00:00'"),
        Backend::Postgres | Backend::PgBouncer => (
            [
                "'019a9f2e-5c00-7000-8000-000000000001'::uuid",
                "'019a9f2e-5c00-7000-8000-000000000002'::uuid",
                "'019a9f2e-5c00-7000-8000-000000000003'::uuid",
            ],
            "'2026-01-01T00:00:00Z'",
        ),
    };
    let [user, ipv4, ipv6] = ids;
    old.execute(&format!(
        "INSERT INTO \"user\" (id, email, name, created_at) VALUES ({user}, \
         'owner@acme.example', 'Owner', {time}); INSERT INTO session (id, user_id, \
         created_at, last_used_at, expires_at, ip) VALUES ({ipv4}, {user}, {time}, {time}, {time}, \
         '192.0.2.7'), ({ipv6}, {user}, {time}, {time}, {time}, '2001:db8::7')"
    ))
    .await;
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    assert_migrates(&old.options(t, folder.path())).await;
    let ipv4 = "SELECT count(*) FROM session WHERE client_network = '192.0.2.7'";
    assert_eq!(old.count(ipv4).await, 1, "the network of an IPv4 address is the address");
    let unknown = "SELECT count(*) FROM session WHERE client_network IS NULL";
    assert_eq!(old.count(unknown).await, 1, "the network of an earlier IPv6 address is unknown");
    old.drop(t).await;
}
