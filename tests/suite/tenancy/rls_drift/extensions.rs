//! Extensions, as managed databases install them: their objects are no drift, but what the tenant
//! role can reach through them is checked.

use postern_persistence::{
    Store,
    schema::{self, MigrationOutcome},
};
use postern_tests::{App, OWNER, SUPERUSER, as_role, on_postgres, store_options, tests_on};
use sea_orm::ConnectionTrait;

use super::faults;

on_postgres![installed_extensions_are_no_faults];

tests_on! { postgres_only, Postgres:
    migrate_runs_beside_extensions,
    access_through_extensions_is_detected,
    objects_added_to_extensions_are_detected,
    unknown_extensions_are_noted
}

const EXTENSIONS: [&str; 5] = ["pg_stat_statements", "pg_trgm", "pgcrypto", "uuid-ossp", "citext"];

/// SQL that installs the extensions. Migrations have installed `pg_trgm` into `public`.
fn install(schema: &str) -> String {
    EXTENSIONS.iter().fold(String::new(), |sql, extension| {
        sql + &format!(
            "CREATE EXTENSION IF NOT EXISTS \"{extension}\"; \
             ALTER EXTENSION \"{extension}\" SET SCHEMA {schema};"
        )
    })
}

async fn assert_no_faults(t: &App, schema: &str) {
    assert_eq!(faults(&t.db.options()).await, [], "no faults with extensions in {schema}");
    let outcome = schema::migrate(&t.db.options()).await.expect("migrate runs");
    assert!(matches!(outcome, MigrationOutcome::Done), "migrate succeeds: {outcome:?}");
    assert_eq!(notes(t).await, Vec::<String>::new(), "the extensions are known");
}

async fn notes(t: &App) -> Vec<String> {
    let store = Store::connect(&t.db.options()).await.expect("the database opens");
    let notes = schema::notes(&store).await.expect("the extensions are read");
    store.close().await;
    notes
}

async fn installed_extensions_are_no_faults(t: &App) {
    t.db.execute("CREATE SCHEMA tools; GRANT USAGE ON SCHEMA tools TO PUBLIC")
        .await
        .expect("the schema is created");
    for schema in ["public", "tools"] {
        t.db.execute(&install(schema)).await.expect("the extensions are installed");
        let views = format!(
            "SELECT count(*) FROM pg_class WHERE relname LIKE 'pg_stat_statements%' \
             AND relkind = 'v' AND relnamespace = '{schema}'::regnamespace"
        );
        assert_eq!(t.db.count(&views).await, 2, "the extension has its views in {schema}");
        assert_no_faults(t, schema).await;
    }
    t.anonymous().get("/readyz").await.expect(200);
}

/// A database with extensions before its first migration.
async fn migrate_runs_beside_extensions(t: &App) {
    let (base, name) = t.db.url.rsplit_once('/').expect("the database URL ends with a name");
    for schema in ["public", "tools"] {
        let database = format!("{name}_{schema}");
        t.db.execute(&format!("CREATE DATABASE {database} OWNER {OWNER}"))
            .await
            .expect("the database is created");
        let url = format!("{base}/{database}");
        let superuser = sea_orm::Database::connect(as_role(&url, SUPERUSER)).await;
        let superuser = superuser.expect("the database opens");
        let set_up = format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; GRANT USAGE ON SCHEMA {schema} TO PUBLIC; {}",
            install(schema)
        );
        superuser.execute_unprepared(&set_up).await.expect("the extensions are installed");
        let outcome = schema::migrate(&store_options(&url)).await.expect("migrate runs");
        assert!(matches!(outcome, MigrationOutcome::Done), "migrate succeeds: {outcome:?}");
        assert_eq!(faults(&store_options(&url)).await, [], "no faults with {schema}");
        let indexes = "SELECT 1 FROM pg_index i JOIN pg_opclass o ON o.oid = ANY (i.indclass) \
                       WHERE o.opcname = 'gin_trgm_ops'";
        let indexes = superuser.execute_unprepared(indexes).await.expect("the query runs");
        assert!(indexes.rows_affected() > 0, "searches use pg_trgm in the schema {schema}");
        superuser.close().await.expect("the connection closes");
        t.db.execute(&format!("DROP DATABASE {database} WITH (FORCE)"))
            .await
            .expect("the database is dropped");
    }
}

/// Access of the tenant role: SQL, SQL that reverts it, and a text of the fault's detail.
const ACCESS: &[(&str, &str, &str)] = &[
    ("CREATE EXTENSION dblink", "DROP EXTENSION dblink", "dblink, which connects to databases"),
    (
        "CREATE SCHEMA tools; CREATE EXTENSION dblink SCHEMA tools; GRANT EXECUTE ON FUNCTION \
         tools.dblink_connect_u(text) TO PUBLIC; GRANT USAGE ON SCHEMA tools TO postern_tenant",
        "DROP SCHEMA tools CASCADE",
        "tools.dblink_connect_u(text) of the extension dblink, which runs with its owner",
    ),
    (
        "CREATE EXTENSION postgres_fdw; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw; \
         GRANT USAGE ON FOREIGN SERVER other TO PUBLIC",
        "DROP EXTENSION postgres_fdw CASCADE",
        "can use the foreign server other",
    ),
    (
        "CREATE EXTENSION postgres_fdw; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO \
         postern_tenant",
        "DROP EXTENSION postgres_fdw",
        "can create servers of the foreign data wrapper postgres_fdw",
    ),
    (
        "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE \
         SCHEMA tools; GRANT USAGE ON SCHEMA tools TO PUBLIC; CREATE FOREIGN TABLE tools.accounts \
         (line text) SERVER files OPTIONS (filename '/etc/passwd'); GRANT SELECT ON \
         tools.accounts TO PUBLIC",
        "DROP SCHEMA tools CASCADE; DROP EXTENSION file_fdw CASCADE",
        "can read the foreign table tools.accounts",
    ),
    (
        "CREATE LANGUAGE untrusted HANDLER plpgsql_call_handler; CREATE FUNCTION run() RETURNS \
         integer LANGUAGE untrusted AS 'BEGIN RETURN 1; END'",
        "DROP LANGUAGE untrusted CASCADE",
        "run(), written in the untrusted language untrusted",
    ),
    (
        "GRANT EXECUTE ON FUNCTION lo_import(text) TO postern_tenant",
        "REVOKE EXECUTE ON FUNCTION lo_import(text) FROM postern_tenant",
        "lo_import(text), which accesses files",
    ),
];

async fn access_through_extensions_is_detected(t: &App) {
    for (drift, revert, detail) in ACCESS {
        assert_detected(t, drift, revert, detail).await;
    }
    // Installed, but out of reach of the tenant role.
    t.db.execute("CREATE SCHEMA tools; CREATE EXTENSION dblink SCHEMA tools")
        .await
        .expect("the extension is installed");
    assert_no_faults(t, "tools").await;
}

/// Views and functions that read our tables are found although an extension contains them.
async fn objects_added_to_extensions_are_detected(t: &App) {
    t.db.execute("CREATE EXTENSION pgcrypto").await.expect("the extension is installed");
    let query = "AS SELECT * FROM membership";
    for (kind, definition, detail) in [
        ("VIEW leak", query, "the view leak of the extension pgcrypto reads membership"),
        ("MATERIALIZED VIEW leak", query, "the view leak of the extension pgcrypto reads"),
        (
            "FUNCTION leak()",
            "RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM membership'",
            "can execute leak() of the extension pgcrypto",
        ),
    ] {
        let drift = format!("CREATE {kind} {definition}; ALTER EXTENSION pgcrypto ADD {kind}");
        let revert = format!("ALTER EXTENSION pgcrypto DROP {kind}; DROP {kind}");
        assert_detected(t, &drift, &revert, detail).await;
    }
    // A table of ours that an extension contains is missing.
    t.db.execute("ALTER EXTENSION pgcrypto ADD TABLE membership").await.expect("it is added");
    let detected = faults(&t.db.options()).await;
    assert!(
        detected.iter().any(|fault| fault.detail == "the table membership does not exist"),
        "the missing table is reported: {detected:?}"
    );
    t.db.execute("ALTER EXTENSION pgcrypto DROP TABLE membership").await.expect("it is removed");
}

async fn assert_detected(t: &App, drift: &str, revert: &str, detail: &str) {
    t.db.execute(drift).await.expect(drift);
    let detected = faults(&t.db.options()).await;
    assert!(
        detected.iter().any(|fault| fault.detail.contains(detail))
            && detected.iter().all(|fault| fault.check.name() == "extensions"),
        "only the check `extensions` fails after {drift}: {detected:?}"
    );
    let outcome = schema::migrate(&t.db.options()).await.expect("migrate runs");
    assert!(matches!(outcome, MigrationOutcome::Faults(_)), "migrate reports it: {outcome:?}");
    t.db.execute(revert).await.expect(revert);
    assert_eq!(faults(&t.db.options()).await, [], "no faults after {revert}");
}

async fn unknown_extensions_are_noted(t: &App) {
    t.db.execute("CREATE EXTENSION seg").await.expect("the extension is installed");
    assert_eq!(faults(&t.db.options()).await, [], "an unknown extension is no fault");
    let notes = notes(t).await;
    assert!(
        notes.len() == 1 && notes[0].starts_with("unknown extension seg "),
        "the extension is noted: {notes:?}"
    );
}
