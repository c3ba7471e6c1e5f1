//! `postern migrate` and `doctor`, and the faults with which `serve` does not start. Each command
//! runs as a process.

use std::{path::Path, process::Output};

use postern_tests::{App, OWNER, SUPERUSER, as_role, on_both, tests_on};
use serde_json::Value;

use crate::process::{postern_with, said};

mod everywhere {
    use super::{
        demo_accounts_require_the_demo_flag, healthy_database_passes,
        keys_readable_by_others_are_reported, on_both,
    };

    on_both![
        healthy_database_passes,
        keys_readable_by_others_are_reported,
        demo_accounts_require_the_demo_flag
    ];
}

mod embedded {
    use super::{
        missing_append_only_trigger_is_rejected, owner_url_is_ignored_on_sqlite, tests_on,
    };

    tests_on! { sqlite, Sqlite:
        missing_append_only_trigger_is_rejected,
        owner_url_is_ignored_on_sqlite
    }
}

tests_on! { postgres, Postgres:
    superuser_login_is_rejected,
    missing_login_is_reported,
    common_database_password_is_rejected,
    migrate_prints_sql_for_the_administrator,
    demo_fills_a_database,
    pending_migrations_are_reported,
    concurrent_migrations_succeed
}

/// Runs `postern` on the test's database.
fn postern(url: &str, folder: &Path, arguments: &[&str], more: &[(&str, &str)]) -> Output {
    let mut environment = vec![("POSTERN__DATABASE__URL", url), ("POSTERN__LOG__FILTER", "error")];
    environment.extend(more);
    postern_with(folder, arguments, &environment)
}

async fn healthy_database_passes(t: &App) {
    let output = postern(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]);
    assert!(
        output.status.success() && said(&output).contains("all checks passed"),
        "doctor passes: {}",
        said(&output)
    );
    let output = postern(&t.db.url, t.folder.path(), &["doctor", "--demo", "--json"], &[]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("the output is valid JSON");
    assert_eq!(
        report,
        serde_json::json!({ "sound": true, "faults": [] }),
        "the JSON report has no faults"
    );
}

async fn keys_readable_by_others_are_reported(t: &App) {
    use std::os::unix::fs::PermissionsExt;
    let keys = t.folder.path().join("keys");
    let key = std::fs::read_dir(&keys)
        .expect("the directory is readable")
        .next()
        .expect("a key file exists")
        .expect("the entry is readable")
        .path();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640))
        .expect("the permissions are set");
    let output = postern(
        &t.db.url,
        t.folder.path(),
        &["doctor", "--demo", "--json"],
        &[("POSTERN__TOKENS__KEYS_DIR", keys.to_str().expect("the path is UTF-8"))],
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("the output is valid JSON");
    assert!(!output.status.success(), "doctor fails");
    assert_eq!(report["faults"][0]["check"], "keys", "the check `keys` fails: {report}");
    assert!(
        report["faults"][0]["what"].as_str().is_some_and(|what| what.contains("chmod 600")),
        "the report includes the command: {report}"
    );
}

async fn demo_accounts_require_the_demo_flag(t: &App) {
    let refused = postern(&t.db.url, t.folder.path(), &["serve"], &[]);
    assert!(
        !refused.status.success() && said(&refused).contains("refusing to start"),
        "serve does not start: {}",
        said(&refused)
    );
    assert!(
        said(&refused).contains("[secrets]") && said(&refused).contains("--demo"),
        "the error names the check and the flag: {}",
        said(&refused)
    );
    t.run_sql("DELETE FROM instance").await;
    let refused = postern(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]);
    assert!(
        !refused.status.success() && said(&refused).contains("[demo]"),
        "doctor fails without the demo marker: {}",
        said(&refused)
    );
}

async fn missing_append_only_trigger_is_rejected(t: &App) {
    let trigger =
        t.db.texts("SELECT sql FROM sqlite_master WHERE name = 'audit_event_no_update'").await;
    // Sent as one batch each: another pooled connection may use a cached schema.
    let drop_trigger = "DROP TRIGGER audit_event_no_update";
    let create_noop_trigger =
        "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event BEGIN SELECT 1; END";
    for damage in [
        format!("{drop_trigger}; {create_noop_trigger}"),
        format!(
            "DROP TRIGGER IF EXISTS audit_event_no_update; {create_noop_trigger}; {drop_trigger}"
        ),
    ] {
        t.db.execute(&damage).await.expect("the statement runs");
        for command in ["serve", "doctor"] {
            let output = postern(&t.db.url, t.folder.path(), &[command, "--demo"], &[]);
            assert!(
                !output.status.success() && said(&output).contains("[triggers]"),
                "{command} fails: {}",
                said(&output)
            );
        }
    }
    t.db.execute(&format!("DROP TRIGGER IF EXISTS audit_event_no_update; {}", trigger[0]))
        .await
        .expect("the statement runs");
    let healthy = postern(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]);
    assert!(healthy.status.success(), "doctor passes: {}", said(&healthy));
}

async fn missing_login_is_reported(t: &App) {
    let missing_login = as_role(&t.db.url, "missing_login");
    let output = postern(
        &t.db.url,
        t.folder.path(),
        &["doctor", "--json"],
        &[("POSTERN__DATABASE__URL", &missing_login)],
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("the output is valid JSON");
    assert_eq!(
        report["faults"][0]["check"], "connection",
        "the check `connection` fails: {report}"
    );
    assert!(
        !output.status.success() && said(&output).contains("`postern migrate` creates the login"),
        "the report includes a remedy: {}",
        said(&output)
    );
}

/// `database.owner_url` applies to PostgreSQL only.
async fn owner_url_is_ignored_on_sqlite(t: &App) {
    let unreachable = [("POSTERN__DATABASE__OWNER_URL", "postgres://owner@127.0.0.1:1/postern")];
    let output = postern(&t.db.url, t.folder.path(), &["migrate"], &unreachable);
    assert!(output.status.success(), "migrate succeeds: {}", said(&output));
}

async fn superuser_login_is_rejected(t: &App) {
    let superuser = as_role(&t.db.url, SUPERUSER);
    for command in ["serve", "doctor"] {
        let refused = postern(
            &t.db.url,
            t.folder.path(),
            &[command, "--demo"],
            &[("POSTERN__DATABASE__URL", &superuser)],
        );
        assert!(
            !refused.status.success() && said(&refused).contains("SUPERUSER"),
            "{command} fails: {}",
            said(&refused)
        );
        assert!(
            said(&refused).contains("`postern migrate` creates it"),
            "the error includes a remedy: {}",
            said(&refused)
        );
    }
}

async fn common_database_password_is_rejected(t: &App) {
    let guessed = t.db.url.replace("://postern_server@", "://postern_server:postgres@");
    let refused = postern(
        &t.db.url,
        t.folder.path(),
        &["serve", "--demo"],
        &[("POSTERN__DATABASE__URL", &guessed)],
    );
    assert!(
        !refused.status.success() && said(&refused).contains("[secrets]"),
        "serve does not start: {}",
        said(&refused)
    );
}

async fn migrate_prints_sql_for_the_administrator(t: &App) {
    // Roles and a database created for this test: the default roles are shared by the cluster.
    let base = t.db.url.rsplit('/').next().expect("the database URL ends with a name");
    let name = |role: &str| format!("{base}_{role}");
    let (owner, tenant, platform, audit_owner) =
        (name("owner"), name("tenant"), name("platform"), name("audit_owner"));
    let (server, database) = (name("server"), name("own"));
    t.db.execute(&format!("CREATE ROLE {owner} LOGIN")).await.expect("the role is created");
    t.db.execute(&format!("CREATE DATABASE {database} OWNER {owner}"))
        .await
        .expect("the database is created");
    let at = |role: &str| {
        as_role(
            &format!(
                "{}/{database}",
                t.db.url
                    .strip_suffix(&format!("/{base}"))
                    .expect("the database URL ends with its name")
            ),
            role,
        )
    };
    let (url, owner_url) = (at(&server), at(&owner));
    let environment = [
        ("POSTERN__DATABASE__URL", url.as_str()),
        ("POSTERN__DATABASE__OWNER_URL", owner_url.as_str()),
        ("POSTERN__DATABASE__TENANT_ROLE", tenant.as_str()),
        ("POSTERN__DATABASE__PLATFORM_ROLE", platform.as_str()),
        ("POSTERN__DATABASE__AUDIT_OWNER_ROLE", audit_owner.as_str()),
    ];
    let printed = postern(&t.db.url, t.folder.path(), &["migrate"], &environment);
    assert!(
        !printed.status.success() && said(&printed).contains("database administrator"),
        "migrate fails and refers to an administrator: {}",
        said(&printed)
    );
    let sql = String::from_utf8(printed.stdout).expect("the output is UTF-8");
    assert!(
        sql.contains(&format!("CREATE ROLE \"{server}\" LOGIN NOINHERIT")),
        "the SQL creates the login: {sql}"
    );
    t.db.execute(&sql).await.expect("the printed SQL runs unchanged");
    let migrated = postern(&t.db.url, t.folder.path(), &["migrate"], &environment);
    assert!(migrated.status.success(), "migrate succeeds: {}", said(&migrated));
    let repeated = postern(&t.db.url, t.folder.path(), &["migrate"], &environment);
    assert!(repeated.status.success(), "migrate can be repeated: {}", said(&repeated));
    let healthy = postern(&t.db.url, t.folder.path(), &["doctor"], &environment);
    assert!(healthy.status.success(), "doctor passes: {}", said(&healthy));
    t.db.execute(&format!("DROP DATABASE {database}")).await.expect("the database is dropped");
    t.db.execute(&format!("DROP ROLE {server}, {tenant}, {platform}, {audit_owner}, {owner}"))
        .await
        .expect("the roles are dropped");
}

async fn pending_migrations_are_reported(t: &App) {
    t.db.execute("DELETE FROM seaql_migrations WHERE version LIKE 'm0010%'")
        .await
        .expect("the migration is marked as pending");
    let refused = postern(&t.db.url, t.folder.path(), &["serve", "--demo"], &[]);
    assert!(
        !refused.status.success() && said(&refused).contains("m0010_scoped_answers"),
        "serve does not start and names the migration: {}",
        said(&refused)
    );
    assert!(
        said(&refused).contains("run `postern migrate`"),
        "the error includes the remedy: {}",
        said(&refused)
    );
}

async fn concurrent_migrations_succeed(t: &App) {
    t.db.execute("DROP POLICY tenant ON membership").await.expect("the policy is dropped");
    let (url, folder, owner) = (t.db.url.as_str(), t.folder.path(), as_role(&t.db.url, OWNER));
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let migrate = || {
            postern(url, folder, &["migrate"], &[("POSTERN__DATABASE__OWNER_URL", owner.as_str())])
        };
        let running: Vec<_> = (0..6).map(|_| scope.spawn(migrate)).collect();
        running.into_iter().map(|thread| thread.join().expect("the thread completes")).collect()
    });
    for output in outputs {
        assert!(output.status.success(), "migrate succeeds: {}", said(&output));
    }
    assert!(
        postern(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]).status.success(),
        "doctor passes after the migrations"
    );
}

async fn demo_fills_a_database(t: &App) {
    let filled = postern(
        &t.db.url,
        t.folder.path(),
        &["demo", "--orgs", "30", "--members", "3", "--events", "600"],
        &[],
    );
    assert!(filled.status.success(), "demo succeeds: {}", said(&filled));
    let orgs = "SELECT count(*) FROM organization WHERE slug LIKE 'company-%'";
    assert_eq!(t.db.count(orgs).await, 30, "30 orgs are created");
    assert_eq!(
        t.db.count(
            "SELECT count(*) FROM membership WHERE org_id NOT IN (SELECT id FROM organization \
             WHERE slug NOT LIKE 'company-%')"
        )
        .await,
        90,
        "90 members are created"
    );
    assert_eq!(
        t.db.count("SELECT count(*) FROM audit_event WHERE org_slug LIKE 'company-%'").await,
        600,
        "600 events are created"
    );
    t.skip_invariants();
    let owner = t.sign_in("member-1@company-7.example").await;
    let events = owner.get("/v1/orgs/company-7/audit-events?limit=100").await.expect(200);
    assert_eq!(
        events.json["data"].as_array().map(Vec::len),
        Some(20),
        "the org has 20 events: {}",
        events.body
    );
    let members = owner.get("/v1/orgs/company-7/members").await.expect(200);
    assert_eq!(
        members.json["data"].as_array().map(Vec::len),
        Some(3),
        "the org has 3 members: {}",
        members.body
    );
    owner.get("/v1/orgs/company-8").await.problem(404, "not_found");
}
