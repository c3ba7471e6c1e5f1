//! Changes that end an impersonation: of its session, the staff member's tier, the target's tier
//! and membership, and the org. Undoing the change does not restore the impersonation.

use postern_tests::{App, PASSWORD, Person, on_both};
use serde_json::json;

on_both![
    sign_out_ends_impersonations_of_the_session,
    session_revocation_ends_impersonations,
    password_change_ends_impersonations_of_other_sessions,
    staff_removal_ends_impersonations,
    tier_grant_ends_impersonations_of_the_user,
    membership_removal_ends_impersonations,
    org_deletion_ends_impersonations,
];

const SUPPORT: &str = "support@postern.example";
const MEMBER: &str = "member@globex.example";
const REASON: &str = "ends the impersonation in this test";

struct Impersonation<'a> {
    id: String,
    support: Person<'a>,
    target: Person<'a>,
}

impl<'a> Impersonation<'a> {
    /// An impersonation of a member of globex by support.
    async fn start(t: &'a App) -> Self {
        let support = t.sign_in(SUPPORT).await;
        let (target, started) = t.impersonate(&support, MEMBER, "globex", "full").await;
        target.get("/v1/me").await.expect(200);
        let id = started["impersonation"]["id"].as_str().expect("id is a string").to_owned();
        Self { id, support, target }
    }

    /// Asserts that the impersonation has ended, and that one event says so.
    async fn assert_ended_once(&self, t: &App, cause: &str) {
        // Before the next request, which would end the impersonation too.
        assert_eq!(
            t.db.count("SELECT count(*) FROM impersonation WHERE ended_at IS NULL").await,
            0,
            "every impersonation has ended"
        );
        self.target.get("/v1/me").await.problem(401, "impersonation_ended");
        let events = t.events(&format!("action=impersonation.ended&target={}", self.id)).await;
        assert_eq!(events.len(), 1, "one impersonation.ended event: {events:?}");
        assert_eq!(events[0]["metadata"]["cause"], cause, "the event has the cause");
    }
}

async fn sign_out_ends_impersonations_of_the_session(t: &App) {
    let impersonation = Impersonation::start(t).await;
    impersonation.support.post("/v1/auth/logout", json!({})).await.expect(204);
    impersonation.assert_ended_once(t, "session_ended").await;
}

async fn session_revocation_ends_impersonations(t: &App) {
    let impersonation = Impersonation::start(t).await;
    let session = impersonation.support.get("/v1/me/sessions").await.expect(200).text("/data/0/id");
    t.sign_in(SUPPORT).await.delete(&format!("/v1/me/sessions/{session}")).await.expect(204);
    impersonation.assert_ended_once(t, "session_ended").await;
}

async fn password_change_ends_impersonations_of_other_sessions(t: &App) {
    const NEW: &str = "four random words do";
    let impersonation = Impersonation::start(t).await;
    let change = json!({ "current_password": PASSWORD, "new_password": NEW });
    t.sign_in(SUPPORT).await.post("/v1/me/password", change).await.expect(204);
    let restore = json!({ "current_password": NEW, "new_password": PASSWORD });
    let token = t.log_in(SUPPORT, NEW).await.expect(200).text("/access_token");
    t.bearer(&token).post("/v1/me/password", restore).await.expect(204);
    impersonation.assert_ended_once(t, "credentials_changed").await;
}

async fn staff_removal_ends_impersonations(t: &App) {
    let impersonation = Impersonation::start(t).await;
    let super_admin = t.sign_in("super@postern.example").await;
    let path = format!("/v1/admin/staff/{}", t.user_id(SUPPORT).await);
    let removal = json!({ "reason": REASON, "ticket_ref": "HR-1" });
    super_admin.post(&format!("{path}/removal"), removal).await.expect(204);
    impersonation.target.get("/v1/me").await.problem(401, "impersonation_ended");
    let grant = json!({ "tier": "support", "reason": REASON, "ticket_ref": "HR-2" });
    super_admin.put(&path, grant).await.expect(200);
    impersonation.assert_ended_once(t, "tier_changed").await;
}

async fn tier_grant_ends_impersonations_of_the_user(t: &App) {
    let impersonation = Impersonation::start(t).await;
    let super_admin = t.sign_in("super@postern.example").await;
    let path = format!("/v1/admin/staff/{}", t.user_id(MEMBER).await);
    let grant = json!({ "tier": "support", "reason": REASON, "ticket_ref": "HR-1" });
    super_admin.put(&path, grant).await.expect(200);
    impersonation.assert_ended_once(t, "tier_changed").await;
    let removal = json!({ "reason": REASON, "ticket_ref": "HR-2" });
    super_admin.post(&format!("{path}/removal"), removal).await.expect(204);
    impersonation.assert_ended_once(t, "tier_changed").await;
}

async fn membership_removal_ends_impersonations(t: &App) {
    let impersonation = Impersonation::start(t).await;
    let owner = t.sign_in("owner@globex.example").await;
    let member = t.member_id("globex", MEMBER).await;
    owner.delete(&format!("/v1/orgs/globex/members/{member}")).await.expect(204);
    t.run_sql(
        "INSERT INTO membership (org_id, id, user_id, role, created_at) SELECT o.id, u.id, u.id, \
         'member', u.created_at FROM organization o, \"user\" u WHERE o.slug = 'globex' AND \
         u.email = 'member@globex.example'",
    )
    .await;
    impersonation.assert_ended_once(t, "membership_changed").await;
}

async fn org_deletion_ends_impersonations(t: &App) {
    let impersonation = Impersonation::start(t).await;
    let owner = t.sign_in("owner@globex.example").await;
    let confirmation = json!({ "confirm_slug": "globex" });
    owner.post("/v1/orgs/globex/deletion", confirmation).await.expect(204);
    impersonation.assert_ended_once(t, "org_deleted").await;
}
