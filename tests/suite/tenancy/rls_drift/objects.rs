//! Drift of tables, policies, grants, triggers and other objects.

use postern_persistence::schema::{self, MigrationOutcome};
use postern_tests::{App, on_postgres};

use super::faults;

// Over the server's connection, directly and through PgBouncer.
on_postgres![drift_is_detected_and_repaired, unexpected_objects_are_detected];

/// Drift that `postern migrate` repairs: SQL, and the check that fails.
const REPAIRABLE: &[(&str, &str)] = &[
    ("DROP POLICY tenant ON membership", "policies"),
    ("ALTER POLICY tenant ON org_setting USING (true)", "policies"),
    ("ALTER POLICY tenant ON audit_event WITH CHECK (true)", "policies"),
    ("ALTER POLICY platform ON usage_point TO PUBLIC", "policies"),
    ("CREATE POLICY hole ON impersonation USING (true)", "policies"),
    ("ALTER TABLE organization DISABLE ROW LEVEL SECURITY", "row_security"),
    ("ALTER TABLE credential NO FORCE ROW LEVEL SECURITY", "row_security"),
    ("GRANT SELECT ON credential TO postern_tenant", "grants"),
    ("GRANT SELECT (tier) ON staff TO PUBLIC", "grants"),
    ("GRANT SELECT ON membership TO postern_server", "grants"),
    ("GRANT DELETE ON audit_event TO postern_platform", "grants"),
    ("GRANT SELECT ON usage_point TO postern_tenant WITH GRANT OPTION", "grants"),
    ("REVOKE INSERT ON audit_event FROM postern_tenant", "grants"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "roles"),
    ("GRANT CREATE ON SCHEMA public TO postern_server", "login"),
    ("REVOKE USAGE ON SCHEMA public FROM PUBLIC, postern_server", "login"),
    ("GRANT TEMPORARY ON DATABASE THIS TO postern_tenant", "roles"),
    ("GRANT CREATE ON DATABASE THIS TO postern_server", "login"),
    ("ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_update_delete", "triggers"),
    ("ALTER TABLE audit_event ENABLE REPLICA TRIGGER audit_event_no_truncate", "triggers"),
    ("DROP TRIGGER audit_event_no_truncate ON audit_event", "triggers"),
    (
        "CREATE OR REPLACE TRIGGER audit_event_no_update_delete BEFORE UPDATE OR DELETE ON \
         audit_event FOR EACH ROW WHEN (false) EXECUTE FUNCTION postern_append_only()",
        "triggers",
    ),
    (
        "CREATE OR REPLACE TRIGGER audit_event_no_update_delete BEFORE UPDATE OF ip OR DELETE \
         ON audit_event FOR EACH ROW EXECUTE FUNCTION postern_append_only()",
        "triggers",
    ),
    (
        "CREATE OR REPLACE FUNCTION postern_append_only() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN RETURN NULL; END'",
        "triggers",
    ),
];

/// Drift that `postern migrate` reports: SQL, SQL that reverts it, and the check that fails.
const UNREPAIRABLE: &[(&str, &str, &str)] = &[
    ("CREATE TABLE forgotten (org_id uuid)", "DROP TABLE forgotten", "tables"),
    ("CREATE VIEW all_members AS SELECT * FROM membership", "DROP VIEW all_members", "views"),
    (
        "CREATE MATERIALIZED VIEW all_members AS SELECT * FROM membership",
        "DROP MATERIALIZED VIEW all_members",
        "views",
    ),
    (
        "CREATE FUNCTION all_members() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT \
         count(*) FROM membership'",
        "DROP FUNCTION all_members",
        "functions",
    ),
    (
        "CREATE SCHEMA other_schema; CREATE VIEW other_schema.all_members AS SELECT * FROM \
         membership",
        "DROP SCHEMA other_schema CASCADE",
        "anomalies",
    ),
    (
        "CREATE SCHEMA other_schema; CREATE FUNCTION other_schema.f() RETURNS bigint LANGUAGE \
         sql SECURITY DEFINER AS 'SELECT 1::bigint'",
        "DROP SCHEMA other_schema CASCADE",
        "anomalies",
    ),
    (
        "CREATE RULE swallow AS ON INSERT TO audit_event DO INSTEAD NOTHING",
        "DROP RULE swallow ON audit_event",
        "anomalies",
    ),
    (
        "CREATE TRIGGER swallow BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION \
         suppress_redundant_updates_trigger()",
        "DROP TRIGGER swallow ON audit_event",
        "triggers",
    ),
    (
        "ALTER TABLE org_setting ADD CONSTRAINT apart EXCLUDE USING btree (support_email WITH \
         =)",
        "ALTER TABLE org_setting DROP CONSTRAINT apart",
        "anomalies",
    ),
    (
        "ALTER TABLE membership ALTER org_id SET DEFAULT gen_random_uuid()",
        "ALTER TABLE membership ALTER org_id DROP DEFAULT",
        "keys",
    ),
    ("CREATE UNIQUE INDEX taken ON org_setting (support_email)", "DROP INDEX taken", "keys"),
    (
        "ALTER TABLE usage_point ADD who uuid REFERENCES impersonation (id)",
        "ALTER TABLE usage_point DROP who",
        "keys",
    ),
    (
        "DELETE FROM seaql_migrations WHERE version LIKE 'm0010%'",
        "INSERT INTO seaql_migrations VALUES ('m0010_scoped_responses', 1)",
        "migrations",
    ),
];

async fn drift_is_detected_and_repaired(t: &App) {
    let database = t.db.url.rsplit('/').next().expect("the database URL ends with a name");
    for (drift, check) in REPAIRABLE {
        let drift = &drift.replace("DATABASE THIS", &format!("DATABASE {database}"));
        t.db.execute(drift).await.expect(drift);
        let detected = faults(&t.db.options()).await;
        assert!(
            detected.iter().any(|fault| fault.check.name() == *check),
            "the check {check} fails after {drift}: {detected:?}"
        );
        assert!(
            detected.iter().all(|fault| fault.remedy.contains("postern migrate")),
            "`postern migrate` is the remedy: {detected:?}"
        );
        let outcome = schema::migrate(&t.db.options()).await.expect("migrate runs");
        assert!(matches!(outcome, MigrationOutcome::Done), "migrate repairs {drift}: {outcome:?}");
        assert_eq!(faults(&t.db.options()).await, [], "no faults after the repair of {drift}");
    }
}

async fn unexpected_objects_are_detected(t: &App) {
    for (drift, revert, check) in UNREPAIRABLE {
        t.db.execute(drift).await.expect(drift);
        let detected = faults(&t.db.options()).await;
        assert!(
            !detected.is_empty() && detected.iter().all(|fault| fault.check.name() == *check),
            "only the check {check} fails after {drift}: {detected:?}"
        );
        if *check != "migrations" {
            let outcome = schema::migrate(&t.db.options()).await.expect("migrate runs");
            assert!(
                matches!(outcome, MigrationOutcome::Faults(_)),
                "migrate reports a fault it cannot repair: {outcome:?}"
            );
        }
        t.db.execute(revert).await.expect(revert);
        assert_eq!(faults(&t.db.options()).await, [], "no faults after {revert}");
    }
}
