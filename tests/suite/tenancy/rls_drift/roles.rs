//! Drift of roles. The tests create their own roles, because the cluster shares the default ones.

use postern_domain::clock::{Clock, SystemClock};
use postern_persistence::{
    Fault, Options, Store,
    schema::{self, MigrationOutcome},
};
use postern_tests::{App, OWNER, SERVER, SUPERUSER, as_role, tests_on};

use super::faults;

tests_on! { postgres, Postgres:
    superuser_and_owner_logins_are_detected,
    login_able_to_bypass_rls_is_detected,
    roles_with_extra_privileges_are_detected
}

/// Roles of one test.
struct Roles {
    tenant: String,
    platform: String,
    audit_owner: String,
    server: String,
    /// A role that Postern does not know.
    extra: String,
}

/// Migrates the database to roles created for this test. Returns the server's options.
async fn migrate_with_own_roles(t: &App) -> (Options, Roles) {
    t.skip_invariants();
    let database = t.db.url.rsplit('/').next().expect("the database URL ends with a name");
    let name = |role: &str| format!("{database}_{role}");
    let roles = Roles {
        tenant: name("tenant"),
        platform: name("platform"),
        audit_owner: name("audit_owner"),
        server: name("server"),
        extra: name("extra"),
    };
    let options = Options {
        url: as_role(&t.db.url, &roles.server),
        owner_url: Some(as_role(&t.db.url, SUPERUSER)),
        tenant_role: roles.tenant.clone(),
        platform_role: roles.platform.clone(),
        audit_owner_role: roles.audit_owner.clone(),
        ..t.db.options()
    };
    t.db.execute("DROP OWNED BY postern_tenant, postern_platform, postern_server")
        .await
        .expect("the default roles lose their privileges");
    let outcome = schema::migrate(&options).await.expect("migrate runs");
    assert!(matches!(outcome, MigrationOutcome::Done), "migrate succeeds: {outcome:?}");
    assert_eq!(faults(&options).await, [], "no faults with the new roles");
    t.db.execute(&format!("CREATE ROLE {}", roles.extra)).await.expect("the role is created");
    (options, roles)
}

/// Drops the roles and everything that they own.
async fn drop_roles(t: &App, roles: &Roles) {
    let Roles { tenant, platform, audit_owner, server, extra } = roles;
    let roles = [server, platform, tenant, audit_owner, extra].map(String::as_str).join(", ");
    t.db.execute(&format!("REASSIGN OWNED BY {roles} TO {SUPERUSER}"))
        .await
        .expect("the objects are reassigned");
    t.db.execute(&format!("DROP OWNED BY {roles}; DROP ROLE {roles}"))
        .await
        .expect("the roles are dropped");
}

/// Faults that are detected between `drift` and `revert`, two SQL statements.
async fn faults_during(t: &App, options: &Options, drift: &str, revert: &str) -> Vec<Fault> {
    t.db.execute(drift).await.expect(drift);
    let detected = faults(options).await;
    t.db.execute(revert).await.expect(revert);
    detected
}

async fn superuser_and_owner_logins_are_detected(t: &App) {
    let as_login = |role: &str| Options { url: as_role(&t.db.url, role), ..t.db.options() };
    let detected = faults(&as_login(SUPERUSER)).await;
    assert!(
        detected
            .iter()
            .any(|fault| fault.check.name() == "login" && fault.detail.contains("SUPERUSER")),
        "a superuser login is detected: {detected:?}"
    );
    let detected = faults(&as_login(OWNER)).await;
    assert!(
        detected.iter().any(|fault| fault.check.name() == "login" && fault.detail.contains("owns")),
        "a login that owns tables is detected: {detected:?}"
    );
}

/// Drift of the server's login: SQL, SQL that reverts it, and a text of the fault's detail.
fn drift_of_login(roles: &Roles) -> Vec<(String, String, &'static str)> {
    let Roles { tenant, platform, server, extra, .. } = roles;
    vec![
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
            format!("GRANT {extra} TO {server}"),
            format!("REVOKE {extra} FROM {server}"),
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
    ]
}

async fn login_able_to_bypass_rls_is_detected(t: &App) {
    let (options, roles) = migrate_with_own_roles(t).await;
    for (drift, revert, words) in drift_of_login(&roles) {
        let detected = faults_during(t, &options, &drift, &revert).await;
        assert!(
            detected.iter().any(|fault| fault.detail.contains(words)),
            "{drift} is detected: {detected:?}"
        );
    }
    // The checks use the role of the session, not the role in the configured URL.
    let store = Store::connect(&Options { url: as_role(&t.db.url, SERVER), ..options.clone() })
        .await
        .expect("the database opens");
    let detected = schema::examine(&store, SystemClock.now()).await.expect("the checks run");
    assert!(
        detected.iter().any(|fault| fault.check.name() == "login"),
        "the login of the session is checked: {detected:?}"
    );
    store.close().await;
    drop_roles(t, &roles).await;
}

async fn roles_with_extra_privileges_are_detected(t: &App) {
    let (options, roles) = migrate_with_own_roles(t).await;
    let Roles { tenant, platform, audit_owner, extra, .. } = &roles;
    for (drift, revert) in [
        (format!("ALTER ROLE {tenant} BYPASSRLS"), format!("ALTER ROLE {tenant} NOBYPASSRLS")),
        (format!("ALTER ROLE {platform} LOGIN"), format!("ALTER ROLE {platform} NOLOGIN")),
        (format!("GRANT {platform} TO {tenant}"), format!("REVOKE {platform} FROM {tenant}")),
        // With it, a tenant could read the statements of all roles in `pg_stat_statements`.
        (
            format!("GRANT pg_read_all_stats TO {tenant}"),
            format!("REVOKE pg_read_all_stats FROM {tenant}"),
        ),
        (format!("GRANT {platform} TO {extra}"), format!("REVOKE {platform} FROM {extra}")),
        (format!("GRANT {audit_owner} TO {extra}"), format!("REVOKE {audit_owner} FROM {extra}")),
        (format!("ALTER ROLE {audit_owner} LOGIN"), format!("ALTER ROLE {audit_owner} NOLOGIN")),
    ] {
        let detected = faults_during(t, &options, &drift, &revert).await;
        assert!(
            !detected.is_empty() && detected.iter().all(|fault| fault.check.name() == "roles"),
            "only the check `roles` fails after {drift}: {detected:?}"
        );
    }
    assert_eq!(faults(&options).await, [], "no faults are left");
    drop_roles(t, &roles).await;
}
