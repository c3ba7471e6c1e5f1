//! Damage to the wall between tenants, done by somebody whom nothing stops: each kind is found by the examination that `doctor`,
//! start-up and `/readyz` go by, and what `postern migrate` can mend, it mends.

use postern_domain::clock::{Clock, SystemClock};
use postern_persistence::{Fault, Options, Store, schema};
use postern_tests::{App, OWNER, SERVER, SUPERUSER, as_role, on_postgres, tests_on};

// As the server reaches its database, through the pooler as well.
on_postgres![
    undamaged_database_has_no_faults,
    damage_is_detected_and_repaired,
    unexpected_objects_are_detected,
    clock_difference_is_detected,
    readyz_reports_a_missing_policy,
];

// With roles of the test's own.
mod roles {
    use super::{
        login_able_to_bypass_rls_is_detected, roles_with_extra_privileges_are_detected,
        tests_on,
    };

    tests_on! { postgres, Postgres: login_able_to_bypass_rls_is_detected, roles_with_extra_privileges_are_detected }
}

pub async fn faults(options: &Options) -> Vec<Fault> {
    let store = Store::connect(options).await.expect("opens");
    let faults =
        schema::examine(&store, SystemClock.now()).await.expect("the catalogue can be read");
    store.close().await;
    faults
}

async fn undamaged_database_has_no_faults(t: &App) {
    assert_eq!(faults(&t.db.options()).await, []);
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
            "CREATE OR REPLACE TRIGGER audit_event_no_update_delete BEFORE UPDATE OR DELETE ON audit_event \
             FOR EACH ROW WHEN (false) EXECUTE FUNCTION postern_append_only()",
            "triggers",
        ),
        (
            "CREATE OR REPLACE TRIGGER audit_event_no_update_delete BEFORE UPDATE OF ip OR DELETE ON audit_event \
             FOR EACH ROW EXECUTE FUNCTION postern_append_only()",
            "triggers",
        ),
        (
            "CREATE OR REPLACE FUNCTION postern_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "triggers",
        ),
    ] {
        let damage = &damage.replace(
            "DATABASE THIS",
            &format!("DATABASE {}", t.db.url.rsplit('/').next().expect("a name")),
        );
        t.db.execute(damage).await.expect(damage);
        let found = faults(&t.db.options()).await;
        assert!(found.iter().any(|fault| fault.check == check), "{damage}: {found:?}");
        assert!(found.iter().all(|fault| fault.remedy.contains("postern migrate")), "{found:?}");
        let mended = schema::migrate(&t.db.options()).await.expect("mends");
        assert!(matches!(mended, schema::MigrationOutcome::Done), "{damage}: {mended:?}");
        assert_eq!(faults(&t.db.options()).await, [], "after {damage}");
    }
}

async fn unexpected_objects_are_detected(t: &App) {
    for (damage, undone, check) in [
        ("CREATE TABLE forgotten (org_id uuid)", "DROP TABLE forgotten", "tables"),
        ("CREATE VIEW everybody AS SELECT * FROM membership", "DROP VIEW everybody", "views"),
        (
            "CREATE MATERIALIZED VIEW everybody AS SELECT * FROM membership",
            "DROP MATERIALIZED VIEW everybody",
            "views",
        ),
        (
            "CREATE FUNCTION everybody() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM membership'",
            "DROP FUNCTION everybody",
            "functions",
        ),
        (
            "CREATE SCHEMA elsewhere; CREATE VIEW elsewhere.everybody AS SELECT * FROM membership",
            "DROP SCHEMA elsewhere CASCADE",
            "oddities",
        ),
        (
            "CREATE SCHEMA elsewhere; CREATE FUNCTION elsewhere.f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint'",
            "DROP SCHEMA elsewhere CASCADE",
            "oddities",
        ),
        (
            "CREATE RULE swallow AS ON INSERT TO audit_event DO INSTEAD NOTHING",
            "DROP RULE swallow ON audit_event",
            "oddities",
        ),
        (
            "CREATE TRIGGER swallow BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "DROP TRIGGER swallow ON audit_event",
            "triggers",
        ),
        (
            "ALTER TABLE org_setting ADD CONSTRAINT apart EXCLUDE USING btree (support_email WITH =)",
            "ALTER TABLE org_setting DROP CONSTRAINT apart",
            "oddities",
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
        let found = faults(&t.db.options()).await;
        assert!(
            !found.is_empty() && found.iter().all(|fault| fault.check == check),
            "{damage}: {found:?}"
        );
        if check != "migrations" {
            let told = schema::migrate(&t.db.options()).await.expect("runs");
            assert!(
                matches!(told, schema::MigrationOutcome::Faults(_)),
                "migrate says that it cannot mend it: {told:?}"
            );
        }
        t.db.execute(undone).await.expect(undone);
        assert_eq!(faults(&t.db.options()).await, [], "after {undone}");
    }
}

/// A wall in roles of this test's own: the others' are the whole cluster's.
async fn own_roles(t: &App) -> (Options, [String; 4]) {
    t.unaccounted();
    let name = |role: &str| format!("{}_{role}", t.db.url.rsplit('/').next().expect("a name"));
    let [tenant, platform, audit_owner, server] = ["tenant", "platform", "audit_owner", "server"].map(name);
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
        .expect("the others' wall is gone");
    let up = schema::migrate(&options).await.expect("another wall is put up");
    assert!(matches!(up, schema::MigrationOutcome::Done), "{up:?}");
    assert_eq!(faults(&options).await, []);
    (options, [tenant, platform, audit_owner, server])
}

/// What is found while something is damaged.
async fn found_after(t: &App, options: &Options, damage: &str, undone: &str) -> Vec<Fault> {
    t.db.execute(damage).await.expect(damage);
    let found = faults(options).await;
    t.db.execute(undone).await.expect(undone);
    found
}

async fn without(t: &App, roles: &[String]) {
    let roles = roles.join(", ");
    t.db.execute(&format!("REASSIGN OWNED BY {roles} TO {SUPERUSER}")).await.expect("given away");
    t.db.execute(&format!("DROP OWNED BY {roles}; DROP ROLE {roles}")).await.expect("gone");
}

async fn login_able_to_bypass_rls_is_detected(t: &App) {
    let as_login = |role: &str| Options { url: as_role(&t.db.url, role), ..t.db.options() };
    let found = faults(&as_login(SUPERUSER)).await;
    assert!(
        found.iter().any(|fault| fault.check == "login" && fault.detail.contains("SUPERUSER")),
        "{found:?}"
    );
    let found = faults(&as_login(OWNER)).await;
    assert!(
        found.iter().any(|fault| fault.check == "login" && fault.detail.contains("owns")),
        "{found:?}"
    );
    let (options, [tenant, platform, audit_owner, server]) = own_roles(t).await;
    let stranger = format!("{server}_x");
    t.db.execute(&format!("CREATE ROLE {stranger}")).await.expect("made");
    for (damage, undone, words) in [
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
            "without becoming it",
        ),
        (
            format!("REVOKE {platform} FROM {server}"),
            format!("GRANT {platform} TO {server}"),
            "may not become",
        ),
        (
            format!("GRANT {stranger} TO {server}"),
            format!("REVOKE {stranger} FROM {server}"),
            "may become",
        ),
        (
            format!("GRANT {tenant} TO {server} WITH ADMIN OPTION"),
            format!("REVOKE ADMIN OPTION FOR {tenant} FROM {server}"),
            "give them to others",
        ),
        (
            format!("ALTER SCHEMA public OWNER TO {server}"),
            "ALTER SCHEMA public OWNER TO pg_database_owner".to_owned(),
            "owns the schema",
        ),
        (
            format!("ALTER ROLE {server} SET role = '{platform}'"),
            format!("ALTER ROLE {server} RESET ALL"),
            "settings of its own",
        ),
        (
            format!("ALTER TABLE usage_point OWNER TO {server}"),
            format!("ALTER TABLE usage_point OWNER TO {OWNER}"),
            "owns usage_point",
        ),
    ] {
        let found = found_after(t, &options, &damage, &undone).await;
        assert!(found.iter().any(|fault| fault.detail.contains(words)), "{damage}: {found:?}");
    }
    // Whoever the address names, the session counts.
    let store = Store::connect(&Options { url: as_role(&t.db.url, SERVER), ..options.clone() })
        .await
        .expect("opens");
    let found = schema::examine(&store, SystemClock.now()).await.expect("runs");
    assert!(found.iter().any(|fault| fault.check == "login"), "{found:?}");
    store.close().await;
    without(t, &[server, platform, tenant, audit_owner, stranger]).await;
}

async fn roles_with_extra_privileges_are_detected(t: &App) {
    let (options, [tenant, platform, audit_owner, server]) = own_roles(t).await;
    let stranger = format!("{server}_x");
    t.db.execute(&format!("CREATE ROLE {stranger}")).await.expect("made");
    for (damage, undone) in [
        (format!("ALTER ROLE {tenant} BYPASSRLS"), format!("ALTER ROLE {tenant} NOBYPASSRLS")),
        (format!("ALTER ROLE {platform} LOGIN"), format!("ALTER ROLE {platform} NOLOGIN")),
        (format!("GRANT {platform} TO {tenant}"), format!("REVOKE {platform} FROM {tenant}")),
        (format!("GRANT {platform} TO {stranger}"), format!("REVOKE {platform} FROM {stranger}")),
        (format!("GRANT {audit_owner} TO {stranger}"), format!("REVOKE {audit_owner} FROM {stranger}")),
        (format!("ALTER ROLE {audit_owner} LOGIN"), format!("ALTER ROLE {audit_owner} NOLOGIN")),
    ] {
        let found = found_after(t, &options, &damage, &undone).await;
        assert!(
            !found.is_empty() && found.iter().all(|fault| fault.check == "roles"),
            "{damage}: {found:?}"
        );
    }
    assert_eq!(faults(&options).await, []);
    without(t, &[server, platform, tenant, audit_owner, stranger]).await;
}

async fn clock_difference_is_detected(t: &App) {
    let store = Store::connect(&t.db.options()).await.expect("opens");
    for apart in [chrono::TimeDelta::seconds(-60), chrono::TimeDelta::seconds(60)] {
        let found = schema::examine(&store, SystemClock.now() + apart).await.expect("runs");
        assert!(found.len() == 1 && found[0].check == "clock", "{found:?}");
    }
    store.close().await;
}

async fn readyz_reports_a_missing_policy(t: &App) {
    t.db.execute("DROP POLICY tenant ON membership").await.expect("runs");
    let answer = t.anonymous().get("/readyz").await.problem(503, "unavailable");
    assert!(answer.text("/detail").contains("policies"), "{}", answer.body);
}
