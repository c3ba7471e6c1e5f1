//! Expiry of impersonations, and the database rows that every impersonated request checks.

use chrono::TimeDelta;
use postern_tests::{App, Backend, on_both};
use serde_json::json;

on_both![
    impersonation_expires,
    earlier_expiry_in_the_database_applies,
    invalid_impersonations_end_once,
];

async fn impersonation_expires(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    t.clock.advance(TimeDelta::minutes(30) - TimeDelta::seconds(1));
    ana.get("/v1/me").await.expect(200);
    t.clock.advance(TimeDelta::seconds(1));
    ana.get("/v1/me").await.problem(401, "impersonation_expired");
    ana.patch("/v1/orgs/acme", json!({ "name": "Other" }))
        .await
        .problem(401, "impersonation_expired");
}

async fn earlier_expiry_in_the_database_applies(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    t.clock.advance(TimeDelta::minutes(30) - TimeDelta::seconds(1));
    ana.get("/v1/me").await.expect(200);
    let earlier = match t.backend {
        Backend::Sqlite => "UPDATE impersonation SET expires_at = '2026-11-20T09:10:00+00:00'",
        Backend::Postgres | Backend::PgBouncer => {
            "UPDATE impersonation SET expires_at = '2026-11-20T09:10:00Z'"
        }
    };
    t.run_sql(earlier).await;
    ana.get("/v1/me").await.problem(401, "impersonation_expired");
}

/// Changes of rows that make an impersonation of acme's member by support invalid, each with the
/// statement that undoes it and the cause of the end.
const CHANGES: [(&str, &str, &str); 7] = [
    (
        "UPDATE \"user\" SET suspended_at = created_at WHERE email = 'member@acme.example'",
        "UPDATE \"user\" SET suspended_at = NULL",
        "suspended",
    ),
    (
        "UPDATE \"user\" SET suspended_at = created_at WHERE email = 'support@postern.example'",
        "UPDATE \"user\" SET suspended_at = NULL",
        "suspended",
    ),
    (
        "UPDATE organization SET deletion_requested_at = created_at",
        "UPDATE organization SET deletion_requested_at = NULL",
        "org_deleted",
    ),
    (
        "INSERT INTO staff (user_id, tier, since) SELECT id, 'support', created_at FROM \
         \"user\" WHERE email = 'member@acme.example'",
        "DELETE FROM staff WHERE user_id IN (SELECT id FROM \"user\" WHERE email = \
         'member@acme.example')",
        "tier_changed",
    ),
    (
        "DELETE FROM staff WHERE user_id IN (SELECT id FROM \"user\" WHERE email = \
         'support@postern.example')",
        "INSERT INTO staff (user_id, tier, since) SELECT id, 'support', created_at FROM \
         \"user\" WHERE email = 'support@postern.example'",
        "tier_changed",
    ),
    (
        "DELETE FROM membership WHERE user_id IN (SELECT id FROM \"user\" WHERE email = \
         'member@acme.example')",
        "INSERT INTO membership (org_id, id, user_id, role, created_at) SELECT o.id, u.id, \
         u.id, 'member', u.created_at FROM organization o, \"user\" u WHERE o.slug = 'acme' \
         AND u.email = 'member@acme.example'",
        "membership_changed",
    ),
    (
        "UPDATE session SET ended_at = created_at",
        "UPDATE session SET ended_at = NULL",
        "session_ended",
    ),
];

/// A change of rows without the server is noticed at the next request. It ends the impersonation,
/// so that undoing the change does not restore it.
async fn invalid_impersonations_end_once(t: &App) {
    for (change, undo, cause) in CHANGES {
        let support = t.sign_in("support@postern.example").await;
        let (target, started) =
            t.impersonate(&support, "member@acme.example", "acme", "full").await;
        target.get("/v1/me").await.expect(200);
        t.run_sql(change).await;
        target.get("/v1/me").await.problem(401, "impersonation_ended");
        t.run_sql(undo).await;
        target.get("/v1/me").await.problem(401, "impersonation_ended");
        let id = started["impersonation"]["id"].as_str().expect("id is a string");
        let ends = t.events(&format!("action=impersonation.ended&impersonation={id}")).await;
        assert_eq!(ends.len(), 1, "{change}: one event records the end: {ends:?}");
        assert_eq!(ends[0]["actor"]["type"], "system", "Postern ended it: {ends:?}");
        assert_eq!(ends[0]["metadata"]["cause"], cause, "{change}: the event has the cause");
        assert_eq!(ends[0]["org"]["slug"], "acme", "the event is in the org's log");
    }
}
