//! A change and its audit event are one transaction.

use postern_tests::{App, Backend, PASSWORD, on_both};
use serde_json::json;

on_both![changes_fail_without_their_event, failed_changes_record_no_success];

/// Creates the trigger `failing`, which fails statements of this kind, such as
/// `INSERT ON audit_event`.
async fn create_failing_trigger(t: &App, statements: &str) {
    let sql = match t.backend {
        Backend::Sqlite => format!(
            "CREATE TRIGGER failing BEFORE {statements} BEGIN SELECT RAISE(ABORT, 'the disk is \
             full'); END"
        ),
        Backend::Postgres | Backend::PgBouncer => format!(
            "CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE \
             EXCEPTION 'the disk is full'; END $$; CREATE TRIGGER failing BEFORE {statements} FOR \
             EACH ROW EXECUTE FUNCTION failing()"
        ),
    };
    t.db.execute(&sql).await.expect("the trigger is created");
}

async fn changes_fail_without_their_event(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let member = t.member_id("acme", "viewer@acme.example").await;
    let path = format!("/v1/orgs/acme/members/{member}");
    create_failing_trigger(t, "INSERT ON audit_event").await;
    let state = "SELECT (SELECT count(*) FROM membership WHERE role = 'viewer') * 1000 + (SELECT \
                 count(*) FROM organization) * 100 + (SELECT count(*) FROM session) + (SELECT \
                 count(*) FROM session WHERE ended_at IS NULL)";
    let before = t.db.count(state).await;
    owner.patch(&path, json!({ "role": "member" })).await.problem(503, "unavailable");
    owner.delete(&path).await.problem(503, "unavailable");
    owner
        .post("/v1/orgs", json!({ "name": "New", "slug": "new-one" }))
        .await
        .problem(503, "unavailable");
    owner.post("/v1/auth/logout", json!({})).await.problem(503, "unavailable");
    t.log_in("owner@acme.example", PASSWORD).await.problem(503, "unavailable");
    owner.get("/v1/orgs/globex").await.problem(503, "unavailable");
    assert_eq!(t.db.count(state).await, before, "no row has changed");
    owner.get(&path).await.expect(200);
    let drop_trigger = match t.backend {
        Backend::Sqlite => "DROP TRIGGER failing",
        Backend::Postgres | Backend::PgBouncer => "DROP TRIGGER failing ON audit_event",
    };
    t.db.execute(drop_trigger).await.expect("the trigger is dropped");
    owner.patch(&path, json!({ "role": "member" })).await.expect(200);
}

async fn failed_changes_record_no_success(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    create_failing_trigger(t, "UPDATE ON organization").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Other" })).await.problem(503, "unavailable");
    owner
        .post("/v1/orgs", json!({ "name": "Other", "slug": "globex" }))
        .await
        .problem(409, "slug_taken");
    assert_eq!(t.recorded("org.updated").await, 0, "the failed update is not recorded");
    assert_eq!(
        t.recorded("org.created").await,
        3,
        "the failed creation is not recorded: only the demo's 3 orgs are"
    );
}
