//! Audit tables are append-only for every role but the audit owner.

use postern_tests::{App, Backend, OWNER, SERVER, on_both, tests_on};
use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::record_actions;

on_both![audit_events_are_append_only];

tests_on! { with_roles, Postgres:
    server_roles_cannot_change_audit_tables,
    schema_owner_cannot_change_audit_events
}

async fn audit_events_are_append_only(t: &App) {
    let before = t.db.count("SELECT count(*) FROM audit_event").await;
    let replace = "INSERT OR REPLACE INTO audit_event (id, occurred_at, actor_type, action, \
                   outcome, target_type, target_label, summary, metadata, schema_version) SELECT \
                   id, occurred_at, actor_type, 'forged', outcome, target_type, target_label, \
                   summary, metadata, schema_version FROM audit_event";
    let statements = ["UPDATE audit_event SET summary = 'forged'", "DELETE FROM audit_event"];
    let backend_statements: &[&str] = match t.backend {
        Backend::Sqlite => &[replace],
        Backend::Postgres | Backend::PgBouncer => {
            &["TRUNCATE audit_event", "TRUNCATE audit_event CASCADE"]
        }
    };
    for sql in statements.iter().chain(backend_statements) {
        let error = t.db.execute(sql).await.expect_err(sql);
        assert!(error.to_string().contains("append-only"), "{sql} fails: {error}");
    }
    assert_eq!(t.db.count("SELECT count(*) FROM audit_event").await, before, "no event is removed");
    assert_eq!(
        t.db.count(
            "SELECT count(*) FROM audit_event WHERE summary = 'forged' OR action = 'forged'"
        )
        .await,
        0,
        "no event is changed"
    );
    t.sign_in("owner@acme.example")
        .await
        .delete("/v1/orgs/acme/audit-events")
        .await
        .problem(405, "method_not_allowed");
}

/// The login, platform and tenant roles cannot change or remove audit tables or their rows.
async fn server_roles_cannot_change_audit_tables(t: &App) {
    record_actions(t).await;
    let login = t.db.sign_in_as(SERVER).await;
    let partition =
        t.db.texts(
            "SELECT relname::text FROM pg_class WHERE relispartition AND relkind = 'r' AND relname \
             LIKE 'audit_event_2%' LIMIT 1",
        )
        .await;
    for table in [
        "audit_event",
        "audit_leaf",
        "audit_node",
        "audit_checkpoint",
        "audit_event_default",
        partition[0].as_str(),
    ] {
        for begin in [
            "BEGIN",
            "BEGIN; SET LOCAL ROLE postern_platform",
            "BEGIN; SET LOCAL ROLE postern_tenant",
        ] {
            assert_cannot_change(&login, begin, table).await;
        }
    }
    login.execute_unprepared("ROLLBACK").await.expect("the transaction ends");
    let error = login
        .execute_unprepared("SET ROLE postern_audit_owner")
        .await
        .expect_err("the login cannot become the audit owner")
        .to_string();
    assert!(
        error.contains("permission denied"),
        "the login cannot become the audit owner: {error}"
    );
    login.close().await.expect("the connection closes");
}

async fn assert_cannot_change(login: &DatabaseConnection, begin: &str, table: &str) {
    for attempt in [
        format!("UPDATE {table} SET org_id = NULL"),
        format!("DELETE FROM {table}"),
        format!("TRUNCATE {table}"),
        format!("DROP TABLE {table}"),
        format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
        format!("ALTER TABLE {table} OWNER TO postern_server"),
    ] {
        login.execute_unprepared("ROLLBACK").await.expect("the transaction ends");
        login.execute_unprepared(begin).await.expect("the transaction begins");
        let error = login.execute_unprepared(&attempt).await.expect_err(&attempt).to_string();
        assert!(
            error.contains("permission denied") || error.contains("must be owner"),
            "{begin}: {attempt} is denied: {error}"
        );
    }
}

/// Triggers stop the schema owner unless it explicitly becomes the audit owner.
async fn schema_owner_cannot_change_audit_events(t: &App) {
    record_actions(t).await;
    let owner = t.db.sign_in_as(OWNER).await;
    for attempt in [
        "UPDATE audit_event SET summary = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "TRUNCATE audit_event_default",
    ] {
        let result = owner.execute_unprepared(attempt).await;
        // Row-level security hides all rows, so UPDATE and DELETE change none; TRUNCATE fails.
        assert!(
            result.as_ref().map_or_else(
                |error| error.to_string().contains("append-only"),
                |result| result.rows_affected() == 0
            ),
            "{attempt} changes nothing: {result:?}"
        );
    }
    owner.close().await.expect("the connection closes");
}
