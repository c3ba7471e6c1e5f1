//! `postern migrate`.

use std::process::Output;

use postern_tests::{App, OWNER, as_role, tests_on};

use super::{output_text, postern_on};

tests_on! { sqlite, Sqlite: owner_url_is_ignored_on_sqlite }

tests_on! { postgres, Postgres:
    migrate_prints_sql_for_the_administrator,
    pending_migrations_are_reported,
    concurrent_migrations_succeed
}

/// `database.owner_url` applies to PostgreSQL only.
async fn owner_url_is_ignored_on_sqlite(t: &App) {
    let unreachable = [("POSTERN__DATABASE__OWNER_URL", "postgres://owner@127.0.0.1:1/postern")];
    let output = postern_on(&t.db.url, t.folder.path(), &["migrate"], &unreachable);
    assert!(output.status.success(), "migrate succeeds: {}", output_text(&output));
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
    let cluster_url = t.db.url.strip_suffix(base).expect("the database URL ends with its name");
    let at = |role: &str| as_role(&format!("{cluster_url}{database}"), role);
    let (url, owner_url) = (at(&server), at(&owner));
    let environment = [
        ("POSTERN__DATABASE__URL", url.as_str()),
        ("POSTERN__DATABASE__OWNER_URL", owner_url.as_str()),
        ("POSTERN__DATABASE__TENANT_ROLE", tenant.as_str()),
        ("POSTERN__DATABASE__PLATFORM_ROLE", platform.as_str()),
        ("POSTERN__DATABASE__AUDIT_OWNER_ROLE", audit_owner.as_str()),
    ];
    let printed = postern_on(&t.db.url, t.folder.path(), &["migrate"], &environment);
    assert!(
        !printed.status.success() && output_text(&printed).contains("database administrator"),
        "migrate fails and refers to an administrator: {}",
        output_text(&printed)
    );
    let sql = String::from_utf8(printed.stdout).expect("the output is UTF-8");
    assert!(
        sql.contains(&format!("CREATE ROLE \"{server}\" LOGIN NOINHERIT")),
        "the SQL creates the login: {sql}"
    );
    t.db.execute(&sql).await.expect("the printed SQL runs unchanged");
    let migrated = postern_on(&t.db.url, t.folder.path(), &["migrate"], &environment);
    assert!(migrated.status.success(), "migrate succeeds: {}", output_text(&migrated));
    let repeated = postern_on(&t.db.url, t.folder.path(), &["migrate"], &environment);
    assert!(repeated.status.success(), "migrate can be repeated: {}", output_text(&repeated));
    let healthy = postern_on(&t.db.url, t.folder.path(), &["doctor"], &environment);
    assert!(healthy.status.success(), "doctor passes: {}", output_text(&healthy));
    t.db.execute(&format!("DROP DATABASE {database}")).await.expect("the database is dropped");
    t.db.execute(&format!("DROP ROLE {server}, {tenant}, {platform}, {audit_owner}, {owner}"))
        .await
        .expect("the roles are dropped");
}

async fn pending_migrations_are_reported(t: &App) {
    t.db.execute("DELETE FROM seaql_migrations WHERE version LIKE 'm0010%'")
        .await
        .expect("the migration is marked as pending");
    let output = postern_on(&t.db.url, t.folder.path(), &["serve", "--demo"], &[]);
    assert!(
        !output.status.success() && output_text(&output).contains("m0010_scoped_responses"),
        "serve does not start and names the migration: {}",
        output_text(&output)
    );
    assert!(
        output_text(&output).contains("run `postern migrate`"),
        "the error includes the remedy: {}",
        output_text(&output)
    );
}

async fn concurrent_migrations_succeed(t: &App) {
    t.db.execute("DROP POLICY tenant ON membership").await.expect("the policy is dropped");
    let (url, folder, owner) = (t.db.url.as_str(), t.folder.path(), as_role(&t.db.url, OWNER));
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let migrate = || {
            postern_on(
                url,
                folder,
                &["migrate"],
                &[("POSTERN__DATABASE__OWNER_URL", owner.as_str())],
            )
        };
        let running: Vec<_> = (0..6).map(|_| scope.spawn(migrate)).collect();
        running.into_iter().map(|thread| thread.join().expect("the thread completes")).collect()
    });
    for output in outputs {
        assert!(output.status.success(), "migrate succeeds: {}", output_text(&output));
    }
    assert!(
        postern_on(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]).status.success(),
        "doctor passes after the migrations"
    );
}
