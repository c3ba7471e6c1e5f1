//! Drift of row-level security, caused by a superuser: the checks of `doctor`, start-up and
//! `/readyz` detect it, and `postern migrate` repairs it where possible.

use postern_domain::clock::{Clock, SystemClock};
use postern_persistence::{Fault, Options, Store, schema};
use postern_tests::{App, OWNER, SERVER, SUPERUSER, as_role, on_postgres, tests_on};

// Over the server's connection, directly and through PgBouncer.
on_postgres![
    undamaged_database_has_no_faults,
    damage_is_detected_and_repaired,
    unexpected_objects_are_detected,
    clock_difference_is_detected,
    readyz_reports_a_missing_policy,
];

// With roles created for the test.
mod roles {
    use super::{
        login_able_to_bypass_rls_is_detected, roles_with_extra_privileges_are_detected, tests_on,
    };

    tests_on! { postgres, Postgres:
        login_able_to_bypass_rls_is_detected,
        roles_with_extra_privileges_are_detected
    }
}

pub async fn faults(options: &Options) -> Vec<Fault> {
    let store = Store::connect(options).await.expect("the database opens");
    let faults = schema::examine(&store, SystemClock.now()).await.expect("the checks run");
    store.close().await;
    faults
}

async fn undamaged_database_has_no_faults(t: &App) {
    assert_eq!(faults(&t.db.options()).await, [], "the database has no faults");
}

async fn damage_is_detected_and_repaired(t: &App) {
    for (damage, check) in [
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
    ] {
        let damage = &damage.replace(
            "DATABASE THIS",
            &format!(
                "DATABASE {}",
                t.db.url.rsplit('/').next().expect("the database URL ends with a name")
            ),
        );
        t.db.execute(damage).await.expect(damage);
        let detected = faults(&t.db.options()).await;
        assert!(
            detected.iter().any(|fault| fault.check == check),
            "the check {check} fails after {damage}: {detected:?}"
        );
        assert!(
            detected.iter().all(|fault| fault.remedy.contains("postern migrate")),
            "`postern migrate` is the remedy: {detected:?}"
        );
        let outcome = schema::migrate(&t.db.options()).await.expect("migrate runs");
        assert!(
            matches!(outcome, schema::MigrationOutcome::Done),
            "migrate repairs {damage}: {outcome:?}"
        );
        assert_eq!(faults(&t.db.options()).await, [], "no faults after the repair of {damage}");
    }
}

async fn unexpected_objects_are_detected(t: &App) {
    for (damage, undo, check) in [
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
            "CREATE SCHEMA other_schema; CREATE FUNCTION other_schema.f() RETURNS bigint LANGUAGE sql \
             SECURITY DEFINER AS 'SELECT 1::bigint'",
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
            "INSERT INTO seaql_migrations VALUES ('m0010_scoped_answers', 1)",
            "migrations",
        ),
    ] {
        t.db.execute(damage).await.expect(damage);
        let detected = faults(&t.db.options()).await;
        assert!(
            !detected.is_empty() && detected.iter().all(|fault| fault.check == check),
            "only the check {check} fails after {damage}: {detected:?}"
        );
        if check != "migrations" {
            let outcome = schema::migrate(&t.db.options()).await.expect("migrate runs");
            assert!(
                matches!(outcome, schema::MigrationOutcome::Faults(_)),
                "migrate reports a fault it cannot repair: {outcome:?}"
            );
        }
        t.db.execute(undo).await.expect(undo);
        assert_eq!(faults(&t.db.options()).await, [], "no faults after {undo}");
    }
}

/// Row-level security with roles created for this test: the default roles are shared by the
/// cluster. Returns the options and the tenant, platform, audit owner and server roles.
async fn own_roles(t: &App) -> (Options, [String; 4]) {
    t.skip_invariants();
    let name = |role: &str| {
        format!(
            "{}_{role}",
            t.db.url.rsplit('/').next().expect("the database URL ends with a name")
        )
    };
    let [tenant, platform, audit_owner, server] =
        ["tenant", "platform", "audit_owner", "server"].map(name);
    let options = Options {
        url: as_role(&t.db.url, &server),
        owner_url: Some(as_role(&t.db.url, SUPERUSER)),
        tenant_role: tenant.clone(),
        platform_role: platform.clone(),
        audit_owner_role: audit_owner.clone(),
        ..t.db.options()
    };
    t.db.execute("DROP OWNED BY postern_tenant, postern_platform, postern_server")
        .await
        .expect("the default roles lose their privileges");
    let outcome = schema::migrate(&options).await.expect("migrate runs");
    assert!(matches!(outcome, schema::MigrationOutcome::Done), "migrate succeeds: {outcome:?}");
    assert_eq!(faults(&options).await, [], "no faults with the new roles");
    (options, [tenant, platform, audit_owner, server])
}

/// Faults that are detected between `damage` and `undo`, two SQL statements.
async fn found_after(t: &App, options: &Options, damage: &str, undo: &str) -> Vec<Fault> {
    t.db.execute(damage).await.expect(damage);
    let detected = faults(options).await;
    t.db.execute(undo).await.expect(undo);
    detected
}

/// Drops the roles and everything that they own.
async fn without(t: &App, roles: &[String]) {
    let roles = roles.join(", ");
    t.db.execute(&format!("REASSIGN OWNED BY {roles} TO {SUPERUSER}"))
        .await
        .expect("the objects are reassigned");
    t.db.execute(&format!("DROP OWNED BY {roles}; DROP ROLE {roles}"))
        .await
        .expect("the roles are dropped");
}

async fn login_able_to_bypass_rls_is_detected(t: &App) {
    let as_login = |role: &str| Options { url: as_role(&t.db.url, role), ..t.db.options() };
    let detected = faults(&as_login(SUPERUSER)).await;
    assert!(
        detected.iter().any(|fault| fault.check == "login" && fault.detail.contains("SUPERUSER")),
        "a superuser login is detected: {detected:?}"
    );
    let detected = faults(&as_login(OWNER)).await;
    assert!(
        detected.iter().any(|fault| fault.check == "login" && fault.detail.contains("owns")),
        "a login that owns tables is detected: {detected:?}"
    );
    let (options, [tenant, platform, audit_owner, server]) = own_roles(t).await;
    let extra_role = format!("{server}_x");
    t.db.execute(&format!("CREATE ROLE {extra_role}")).await.expect("the role is created");
    for (damage, undo, words) in [
        (
            format!("ALTER ROLE {server} BYPASSRLS"),
            format!("ALTER ROLE {server} NOBYPASSRLS"),
            "BYPASSRLS",
        ),
        (
            format!("ALTER ROLE {server} CREATEROLE"),
            format!("ALTER ROLE {server} NOCREATEROLE"),
            "CREATEROLE",
        ),
        (
            format!("ALTER ROLE {server} INHERIT"),
            format!("ALTER ROLE {server} NOINHERIT"),
            "without SET ROLE",
        ),
        (
            format!("REVOKE {platform} FROM {server}"),
            format!("GRANT {platform} TO {server}"),
            "cannot SET ROLE",
        ),
        (
            format!("GRANT {extra_role} TO {server}"),
            format!("REVOKE {extra_role} FROM {server}"),
            "is a member of",
        ),
        (
            format!("GRANT {tenant} TO {server} WITH ADMIN OPTION"),
            format!("REVOKE ADMIN OPTION FOR {tenant} FROM {server}"),
            "ADMIN OPTION",
        ),
        (
            format!("ALTER SCHEMA public OWNER TO {server}"),
            "ALTER SCHEMA public OWNER TO pg_database_owner".to_owned(),
            "owns the schema",
        ),
        (
            format!("ALTER ROLE {server} SET role = '{platform}'"),
            format!("ALTER ROLE {server} RESET ALL"),
            "has role settings",
        ),
        (
            format!("ALTER TABLE usage_point OWNER TO {server}"),
            format!("ALTER TABLE usage_point OWNER TO {OWNER}"),
            "owns usage_point",
        ),
    ] {
        let detected = found_after(t, &options, &damage, &undo).await;
        assert!(
            detected.iter().any(|fault| fault.detail.contains(words)),
            "{damage} is detected: {detected:?}"
        );
    }
    // The checks use the role of the session, not the role in the configured URL.
    let store = Store::connect(&Options { url: as_role(&t.db.url, SERVER), ..options.clone() })
        .await
        .expect("the database opens");
    let detected = schema::examine(&store, SystemClock.now()).await.expect("the checks run");
    assert!(
        detected.iter().any(|fault| fault.check == "login"),
        "the login of the session is checked: {detected:?}"
    );
    store.close().await;
    without(t, &[server, platform, tenant, audit_owner, extra_role]).await;
}

async fn roles_with_extra_privileges_are_detected(t: &App) {
    let (options, [tenant, platform, audit_owner, server]) = own_roles(t).await;
    let extra_role = format!("{server}_x");
    t.db.execute(&format!("CREATE ROLE {extra_role}")).await.expect("the role is created");
    for (damage, undo) in [
        (format!("ALTER ROLE {tenant} BYPASSRLS"), format!("ALTER ROLE {tenant} NOBYPASSRLS")),
        (format!("ALTER ROLE {platform} LOGIN"), format!("ALTER ROLE {platform} NOLOGIN")),
        (format!("GRANT {platform} TO {tenant}"), format!("REVOKE {platform} FROM {tenant}")),
        (
            format!("GRANT {platform} TO {extra_role}"),
            format!("REVOKE {platform} FROM {extra_role}"),
        ),
        (
            format!("GRANT {audit_owner} TO {extra_role}"),
            format!("REVOKE {audit_owner} FROM {extra_role}"),
        ),
        (format!("ALTER ROLE {audit_owner} LOGIN"), format!("ALTER ROLE {audit_owner} NOLOGIN")),
    ] {
        let detected = found_after(t, &options, &damage, &undo).await;
        assert!(
            !detected.is_empty() && detected.iter().all(|fault| fault.check == "roles"),
            "only the check `roles` fails after {damage}: {detected:?}"
        );
    }
    assert_eq!(faults(&options).await, [], "no faults are left");
    without(t, &[server, platform, tenant, audit_owner, extra_role]).await;
}

async fn clock_difference_is_detected(t: &App) {
    let store = Store::connect(&t.db.options()).await.expect("the database opens");
    for difference in [chrono::TimeDelta::seconds(-60), chrono::TimeDelta::seconds(60)] {
        let detected =
            schema::examine(&store, SystemClock.now() + difference).await.expect("the checks run");
        assert!(
            detected.len() == 1 && detected[0].check == "clock",
            "only the check `clock` fails: {detected:?}"
        );
    }
    store.close().await;
}

async fn readyz_reports_a_missing_policy(t: &App) {
    t.db.execute("DROP POLICY tenant ON membership").await.expect("the statement runs");
    let answer = t.anonymous().get("/readyz").await.problem(503, "unavailable");
    assert!(
        answer.text("/detail").contains("policies"),
        "the problem names the failed check: {}",
        answer.body
    );
}
