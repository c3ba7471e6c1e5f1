//! Privileges of the roles: statements that must be denied whatever the tenant context.

use postern_tests::{App, SERVER, tests_on};
use sea_orm::ConnectionTrait;

use super::{begin, org_id};

tests_on! { postgres, Postgres:
    least_privilege,
    audit_events_cannot_be_changed_by_either_role
}

/// Statements that the tenant role cannot run.
const DENIED_TO_TENANTS: &[&str] = &[
    "SELECT * FROM credential",
    "SELECT * FROM session",
    "SELECT * FROM refresh_token",
    "SELECT * FROM staff",
    "SELECT * FROM instance",
    "SELECT * FROM seaql_migrations",
    "SELECT suspended_at FROM \"user\"",
    "SELECT \"user\" FROM \"user\"",
    "UPDATE \"user\" SET name = 'x'",
    "DELETE FROM \"user\"",
    "INSERT INTO staff SELECT id, 'super_admin', now() FROM \"user\"",
    "INSERT INTO membership SELECT org_id, gen_random_uuid(), user_id, 'owner', now() FROM \
     membership",
    "UPDATE membership SET org_id = org_id",
    "UPDATE organization SET plan = 'enterprise'",
    "UPDATE organization SET max_users = 1000000",
    "INSERT INTO organization SELECT * FROM organization",
    "DELETE FROM organization",
    "UPDATE feature_override SET enabled = true",
    "UPDATE usage_point SET value = 0",
    "UPDATE impersonation SET expires_at = now() + interval '1 year'",
    "DELETE FROM impersonation",
    "DELETE FROM idempotency_key",
];

/// Statements that neither role can run.
const DENIED_TO_BOTH: &[&str] = &[
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE membership (id int)",
    "CREATE SCHEMA mine",
    "ALTER TABLE membership DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE membership NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY tenant ON membership",
    "CREATE POLICY hole ON membership USING (true)",
    "DROP TABLE usage_point",
    "CREATE OR REPLACE FUNCTION postern_append_only() RETURNS trigger LANGUAGE plpgsql AS \
     'BEGIN RETURN NULL; END'",
    "ALTER ROLE postern_server BYPASSRLS",
    "CREATE ROLE mine",
    "GRANT postern_platform TO postern_tenant",
    "SET ROLE postern_owner",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "COPY membership TO PROGRAM 'cat'",
    "COPY membership TO '/tmp/membership'",
    "UPDATE seaql_migrations SET version = 'none'",
];

async fn least_privilege(t: &App) {
    let acme = org_id(t, "acme").await;
    let login = t.db.sign_in_as(SERVER).await;
    let by_tenants =
        DENIED_TO_TENANTS.iter().chain(DENIED_TO_BOTH).map(|sql| ("postern_tenant", *sql));
    let by_platform = DENIED_TO_BOTH.iter().map(|sql| ("postern_platform", *sql));
    for (role, attempt) in by_tenants.chain(by_platform) {
        begin(&login, role, Some(&acme)).await;
        let error = login.execute_unprepared(attempt).await.expect_err(attempt).to_string();
        let denied =
            ["permission denied", "must be owner", "must have", "must be", "not permitted"]
                .iter()
                .any(|words| error.contains(words));
        assert!(denied, "{role}: {attempt} is denied: {error}");
    }
    login.close().await.expect("the connection closes");
}

async fn audit_events_cannot_be_changed_by_either_role(t: &App) {
    let acme = org_id(t, "acme").await;
    let login = t.db.sign_in_as(SERVER).await;
    for role in ["postern_tenant", "postern_platform"] {
        for attempt in [
            "UPDATE audit_event SET summary = 'nothing happened'",
            "DELETE FROM audit_event",
            "TRUNCATE audit_event",
            "ALTER TABLE audit_event DISABLE TRIGGER ALL",
            "DROP TRIGGER audit_event_no_update_delete ON audit_event",
            "DROP TABLE audit_event",
            "INSERT INTO audit_event (id) SELECT id FROM audit_event ON CONFLICT (id) \
             DO UPDATE SET summary = 'nothing happened'",
        ] {
            begin(&login, role, Some(&acme)).await;
            let error = login.execute_unprepared(attempt).await.expect_err(attempt).to_string();
            assert!(
                error.contains("permission denied") || error.contains("must be owner"),
                "{role}: {attempt} is denied: {error}"
            );
        }
    }
    login.close().await.expect("the connection closes");
}
