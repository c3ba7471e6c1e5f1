//! `set_staff_tier`: granted tiers and the super admin limit.

use futures_util::future::join_all;
use postern_tests::{App, on_both};
use serde_json::json;

use super::REASON;

on_both![tier_is_granted, invalid_changes_are_rejected, super_admin_limit_holds_under_concurrency,];

async fn tier_is_granted(t: &App) {
    let super_admin = t.sign_in("super@postern.example").await;
    let member_id = t.user_id("member@acme.example").await;
    let path = format!("/v1/admin/staff/{member_id}");
    let tier = |tier: &str| json!({ "tier": tier, "reason": REASON, "ticket_ref": "HR-1" });
    let granted = super_admin.put(&path, tier("support")).await.expect(200);
    assert_eq!(granted.json["tier"], "support", "the response has the new tier");
    let newcomer = t.sign_in("member@acme.example").await;
    newcomer.get("/v1/admin/search?q=acme").await.expect(200);
    newcomer.put(&path, tier("super_admin")).await.problem(403, "permission_denied");
    t.clock.advance(chrono::TimeDelta::minutes(1));
    let again = super_admin.put(&path, tier("support")).await.expect(200);
    assert_eq!(again.json["since"], granted.json["since"], "an unchanged tier keeps its date");
    let events = t.events("action=staff.tier_changed").await;
    assert_eq!(events.len(), 1, "the grant is recorded once");
    assert_eq!(
        events[0]["metadata"]["tier"],
        json!({ "old": null, "new": "support" }),
        "the event has the old and new tier"
    );
    assert_eq!(events[0]["reason"], REASON, "the event has the reason");
    assert_eq!(events[0]["ticket_ref"], "HR-1", "the event has the ticket");
}

async fn invalid_changes_are_rejected(t: &App) {
    let super_admin = t.sign_in("super@postern.example").await;
    let (own_id, member_id) =
        (t.user_id("super@postern.example").await, t.user_id("member@acme.example").await);
    let path = |user: &str| format!("/v1/admin/staff/{user}");
    let tier = |tier: &str| json!({ "tier": tier, "reason": REASON, "ticket_ref": "HR-1" });
    super_admin.put(&path(&member_id), tier("support")).await.expect(200);
    super_admin.put(&path(&own_id), tier("support")).await.problem(403, "own_tier");
    super_admin.put(&path(&member_id), tier("super_admin")).await.problem(409, "super_admin_limit");
    super_admin
        .put(&path(&member_id), json!({ "tier": "support", "reason": REASON }))
        .await
        .problem(422, "invalid_body");
    super_admin
        .put(&path("user_01k7fgpr00e00800000000000g"), tier("support"))
        .await
        .problem(404, "not_found");
    assert_eq!(t.recorded("staff.tier_changed").await, 1, "only the grant is recorded");
}

async fn super_admin_limit_holds_under_concurrency(t: &App) {
    let super_admin = t.sign_in("super@postern.example").await;
    let second = t.user_id("super2@postern.example").await;
    let change = |user: String, tier: &str| {
        let (super_admin, body) =
            (&super_admin, json!({ "tier": tier, "reason": REASON, "ticket_ref": "HR-1" }));
        async move { super_admin.put(&format!("/v1/admin/staff/{user}"), body).await }
    };
    let candidates = [
        "support@postern.example",
        "ops@postern.example",
        "eng@postern.example",
        "owner@acme.example",
    ];
    let ids = join_all(candidates.map(|email| t.user_id(email))).await;
    change(second, "support").await.expect(200);
    for _ in 0..5 {
        let responses =
            join_all(ids.iter().cycle().take(16).map(|id| change(id.clone(), "super_admin"))).await;
        assert!(
            responses.iter().all(|response| [200, 409].contains(&response.status)),
            "each response is 200 or 409: {responses:?}"
        );
        assert_eq!(
            t.db.count("SELECT count(*) FROM staff WHERE tier = 'super_admin'").await,
            2,
            "there are two super admins"
        );
        for id in &ids {
            change(id.clone(), "support").await.expect(200);
        }
    }
}
