//! `postern migrate`, `doctor` and what `serve` refuses, as processes of their own.

use std::{path::Path, process::Output};

use postern_tests::{App, OWNER, SUPERUSER, as_role, on_both, tests_on};
use serde_json::Value;

use crate::process::{postern_with, said};

mod everywhere {
    use super::{
        healthy_database_passes, keys_readable_by_others_are_reported, on_both,
        demo_accounts_require_the_demo_flag,
    };

    on_both![
        healthy_database_passes,
        keys_readable_by_others_are_reported,
        demo_accounts_require_the_demo_flag
    ];
}

mod embedded {
    use super::{
        owner_url_is_ignored_on_sqlite, missing_append_only_trigger_is_rejected, tests_on,
    };

    tests_on! { sqlite, Sqlite: missing_append_only_trigger_is_rejected, owner_url_is_ignored_on_sqlite }
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
    let sound = postern(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]);
    assert!(sound.status.success() && said(&sound).contains("as it has to be"), "{}", said(&sound));
    let sound = postern(&t.db.url, t.folder.path(), &["doctor", "--demo", "--json"], &[]);
    let told: Value = serde_json::from_slice(&sound.stdout).expect("JSON");
    assert_eq!(told, serde_json::json!({ "sound": true, "faults": [] }));
}

async fn keys_readable_by_others_are_reported(t: &App) {
    use std::os::unix::fs::PermissionsExt;
    let keys = t.folder.path().join("keys");
    let key = std::fs::read_dir(&keys)
        .expect("a folder")
        .next()
        .expect("a key")
        .expect("an entry")
        .path();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).expect("set");
    let found = postern(
        &t.db.url,
        t.folder.path(),
        &["doctor", "--demo", "--json"],
        &[("POSTERN__TOKENS__KEYS_DIR", keys.to_str().expect("a path"))],
    );
    let told: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert!(!found.status.success());
    assert_eq!(told["faults"][0]["check"], "keys", "{told}");
    assert!(
        told["faults"][0]["what"].as_str().is_some_and(|what| what.contains("chmod 600")),
        "{told}"
    );
}

async fn demo_accounts_require_the_demo_flag(t: &App) {
    let refused = postern(&t.db.url, t.folder.path(), &["serve"], &[]);
    assert!(
        !refused.status.success() && said(&refused).contains("refusing to serve"),
        "{}",
        said(&refused)
    );
    assert!(
        said(&refused).contains("[secrets]") && said(&refused).contains("--demo"),
        "{}",
        said(&refused)
    );
    t.meddle("DELETE FROM instance").await;
    let refused = postern(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]);
    assert!(!refused.status.success() && said(&refused).contains("[demo]"), "{}", said(&refused));
}

async fn missing_append_only_trigger_is_rejected(t: &App) {
    let trigger =
        t.db.texts("SELECT sql FROM sqlite_master WHERE name = 'audit_event_no_update'").await;
    // In one statement each: another connection would go by the schema that it remembers.
    let gone = "DROP TRIGGER audit_event_no_update";
    let harmless =
        "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event BEGIN SELECT 1; END";
    for damage in [
        format!("{gone}; {harmless}"),
        format!("DROP TRIGGER IF EXISTS audit_event_no_update; {harmless}; {gone}"),
    ] {
        t.db.execute(&damage).await.expect("runs");
        for command in ["serve", "doctor"] {
            let refused = postern(&t.db.url, t.folder.path(), &[command, "--demo"], &[]);
            assert!(
                !refused.status.success() && said(&refused).contains("[triggers]"),
                "{}",
                said(&refused)
            );
        }
    }
    t.db.execute(&format!("DROP TRIGGER IF EXISTS audit_event_no_update; {}", trigger[0]))
        .await
        .expect("runs");
    let sound = postern(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]);
    assert!(sound.status.success(), "{}", said(&sound));
}

async fn missing_login_is_reported(t: &App) {
    let nobody = as_role(&t.db.url, "nobody_yet");
    let found = postern(
        &t.db.url,
        t.folder.path(),
        &["doctor", "--json"],
        &[("POSTERN__DATABASE__URL", &nobody)],
    );
    let told: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(told["faults"][0]["check"], "connection", "{told}");
    assert!(
        !found.status.success() && said(&found).contains("`postern migrate` makes the login"),
        "{}",
        said(&found)
    );
}

/// The owner's address is PostgreSQL's; one that was left in the environment leads a file nowhere.
async fn owner_url_is_ignored_on_sqlite(t: &App) {
    let nowhere = [("POSTERN__DATABASE__OWNER_URL", "postgres://nobody@127.0.0.1:1/nowhere")];
    let done = postern(&t.db.url, t.folder.path(), &["migrate"], &nowhere);
    assert!(done.status.success(), "{}", said(&done));
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
            "{}",
            said(&refused)
        );
        assert!(
            said(&refused).contains("`postern migrate` makes it"),
            "with the remedy: {}",
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
        "{}",
        said(&refused)
    );
}

async fn migrate_prints_sql_for_the_administrator(t: &App) {
    // Roles and a database of this test's own: they are the whole cluster's.
    let base = t.db.url.rsplit('/').next().expect("a name");
    let name = |role: &str| format!("{base}_{role}");
    let (owner, tenant, platform, audit_owner) =
        (name("owner"), name("tenant"), name("platform"), name("audit_owner"));
    let (server, database) = (name("server"), name("own"));
    t.db.execute(&format!("CREATE ROLE {owner} LOGIN")).await.expect("made");
    t.db.execute(&format!("CREATE DATABASE {database} OWNER {owner}")).await.expect("made");
    let at = |role: &str| {
        as_role(
            &format!(
                "{}/{database}",
                t.db.url.strip_suffix(&format!("/{base}")).expect("its name")
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
    let told = postern(&t.db.url, t.folder.path(), &["migrate"], &environment);
    assert!(
        !told.status.success() && said(&told).contains("database administrator"),
        "{}",
        said(&told)
    );
    let sql = String::from_utf8(told.stdout).expect("SQL");
    assert!(sql.contains(&format!("CREATE ROLE \"{server}\" LOGIN NOINHERIT")), "{sql}");
    t.db.execute(&sql).await.expect("what was told can be run as it is");
    let done = postern(&t.db.url, t.folder.path(), &["migrate"], &environment);
    assert!(done.status.success(), "{}", said(&done));
    let again = postern(&t.db.url, t.folder.path(), &["migrate"], &environment);
    assert!(again.status.success(), "a second time changes nothing: {}", said(&again));
    let sound = postern(&t.db.url, t.folder.path(), &["doctor"], &environment);
    assert!(sound.status.success(), "{}", said(&sound));
    t.db.execute(&format!("DROP DATABASE {database}")).await.expect("gone");
    t.db.execute(&format!("DROP ROLE {server}, {tenant}, {platform}, {audit_owner}, {owner}"))
        .await
        .expect("gone");
}

async fn pending_migrations_are_reported(t: &App) {
    t.db.execute("DELETE FROM seaql_migrations WHERE version LIKE 'm0010%'")
        .await
        .expect("forgotten");
    let refused = postern(&t.db.url, t.folder.path(), &["serve", "--demo"], &[]);
    assert!(
        !refused.status.success() && said(&refused).contains("m0010_scoped_answers"),
        "{}",
        said(&refused)
    );
    assert!(said(&refused).contains("run `postern migrate`"), "{}", said(&refused));
}

async fn concurrent_migrations_succeed(t: &App) {
    t.db.execute("DROP POLICY tenant ON membership").await.expect("damaged");
    let (url, folder, owner) = (t.db.url.as_str(), t.folder.path(), as_role(&t.db.url, OWNER));
    let done: Vec<Output> = std::thread::scope(|scope| {
        let migrate = || {
            postern(url, folder, &["migrate"], &[("POSTERN__DATABASE__OWNER_URL", owner.as_str())])
        };
        let running: Vec<_> = (0..6).map(|_| scope.spawn(migrate)).collect();
        running.into_iter().map(|one| one.join().expect("runs")).collect()
    });
    for one in done {
        assert!(one.status.success(), "{}", said(&one));
    }
    assert!(postern(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]).status.success());
}

async fn demo_fills_a_database(t: &App) {
    let filled = postern(
        &t.db.url,
        t.folder.path(),
        &["demo", "--orgs", "30", "--members", "3", "--events", "600"],
        &[],
    );
    assert!(filled.status.success(), "{}", said(&filled));
    let orgs = "SELECT count(*) FROM organization WHERE slug LIKE 'company-%'";
    assert_eq!(t.db.count(orgs).await, 30);
    assert_eq!(
        t.db.count("SELECT count(*) FROM membership WHERE org_id NOT IN (SELECT id FROM organization WHERE slug NOT LIKE 'company-%')")
            .await,
        90
    );
    assert_eq!(
        t.db.count("SELECT count(*) FROM audit_event WHERE org_slug LIKE 'company-%'").await,
        600
    );
    t.unaccounted();
    let owner = t.sign_in("member-1@company-7.example").await;
    let events = owner.get("/v1/orgs/company-7/audit-events?limit=100").await.expect(200);
    assert_eq!(events.json["data"].as_array().map(Vec::len), Some(20), "{}", events.body);
    let members = owner.get("/v1/orgs/company-7/members").await.expect(200);
    assert_eq!(members.json["data"].as_array().map(Vec::len), Some(3), "{}", members.body);
    owner.get("/v1/orgs/company-8").await.problem(404, "not_found");
}
