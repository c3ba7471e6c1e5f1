//! Changes that end impersonations, during the start of one: they wait for it, and end it.

use futures_util::future::join3;
use postern_tests::{App, Person, Response, tests_on};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::start_body;

// SQLite has one writer at a time.
tests_on! { postgres, Postgres:
    tier_grant_waits_for_a_start,
    staff_removal_waits_for_a_start,
    sign_out_waits_for_a_start,
    membership_removal_waits_for_a_start,
    org_deletion_waits_for_a_start,
    start_waits_for_a_sign_out
}

const SUPPORT: &str = "support@postern.example";
const MEMBER: &str = "member@globex.example";
const REASON: &str = "ends the impersonation in this test";

async fn start(t: &App, support: &Person<'_>) -> Response {
    let body = start_body(&t.user_id(MEMBER).await, "globex");
    support.post("/v1/admin/impersonations", body).await
}

/// Runs the change while the start of an impersonation waits to be written, and asserts that the
/// change ends the impersonation.
async fn assert_ended(t: &App, support: &Person<'_>, change: impl Future<Output = Response>) {
    let blocker = t.db.lock("LOCK TABLE impersonation IN SHARE MODE").await;
    let change = async {
        t.db.wait_for_lock("relation").await;
        change.await
    };
    let release = async {
        // The change waits for the transaction of the start.
        t.db.wait_for_lock("transactionid").await;
        blocker.execute_unprepared("ROLLBACK").await.expect("the lock is released");
    };
    let (started, changed, ()) = join3(start(t, support), change, release).await;
    started.expect(201);
    assert!(changed.status < 300, "the change succeeds: {}", changed.body);
    let active = "SELECT count(*) FROM impersonation WHERE ended_at IS NULL";
    assert_eq!(t.db.count(active).await, 0, "the change ends the impersonation");
    assert_eq!(t.recorded("impersonation.ended").await, 1, "the end is recorded once");
    blocker.close().await.expect("the connection closes");
}

async fn tier_grant_waits_for_a_start(t: &App) {
    let support = t.sign_in(SUPPORT).await;
    let super_admin = t.sign_in("super@postern.example").await;
    let path = format!("/v1/admin/staff/{}", t.user_id(MEMBER).await);
    let grant = json!({ "tier": "support", "reason": REASON, "ticket_ref": "HR-1" });
    assert_ended(t, &support, super_admin.put(&path, grant)).await;
}

async fn staff_removal_waits_for_a_start(t: &App) {
    let support = t.sign_in(SUPPORT).await;
    let super_admin = t.sign_in("super@postern.example").await;
    let path = format!("/v1/admin/staff/{}/removal", t.user_id(SUPPORT).await);
    let removal = json!({ "reason": REASON, "ticket_ref": "HR-1" });
    assert_ended(t, &support, super_admin.post(&path, removal)).await;
}

async fn sign_out_waits_for_a_start(t: &App) {
    let support = t.sign_in(SUPPORT).await;
    assert_ended(t, &support, support.post("/v1/auth/logout", json!({}))).await;
}

async fn membership_removal_waits_for_a_start(t: &App) {
    let support = t.sign_in(SUPPORT).await;
    let owner = t.sign_in("owner@globex.example").await;
    let path = format!("/v1/orgs/globex/members/{}", t.member_id("globex", MEMBER).await);
    assert_ended(t, &support, owner.delete(&path)).await;
}

async fn org_deletion_waits_for_a_start(t: &App) {
    let support = t.sign_in(SUPPORT).await;
    let owner = t.sign_in("owner@globex.example").await;
    let deletion = owner.post("/v1/orgs/globex/deletion", json!({ "confirm_slug": "globex" }));
    assert_ended(t, &support, deletion).await;
}

/// A start that was authorized before the session ended fails.
async fn start_waits_for_a_sign_out(t: &App) {
    let support = t.sign_in(SUPPORT).await;
    // The sign-out waits before it commits.
    let blocker = t.db.lock("LOCK TABLE audit_event IN SHARE MODE").await;
    let start = async {
        t.db.wait_for_lock("relation").await;
        start(t, &support).await
    };
    let release = async {
        t.db.wait_for_lock("transactionid").await;
        blocker.execute_unprepared("ROLLBACK").await.expect("the lock is released");
    };
    let sign_out = support.post("/v1/auth/logout", json!({}));
    let (signed_out, rejected, ()) = join3(sign_out, start, release).await;
    signed_out.expect(204);
    rejected.problem(401, "session_ended");
    blocker.close().await.expect("the connection closes");
}
