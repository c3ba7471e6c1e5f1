//! `remove_staff`.

use postern_tests::{App, on_both};
use serde_json::json;

use super::REASON;

on_both![removed_staff_member_loses_access];

async fn removed_staff_member_loses_access(t: &App) {
    let super_admin = t.sign_in("super@postern.example").await;
    let path = format!("/v1/admin/staff/{}", t.user_id("member@acme.example").await);
    super_admin
        .put(&path, json!({ "tier": "support", "reason": REASON, "ticket_ref": "HR-1" }))
        .await
        .expect(200);
    let newcomer = t.sign_in("member@acme.example").await;
    newcomer.get("/v1/admin/search?q=acme").await.expect(200);
    let removal = format!("{path}/removal");
    let remove = || super_admin.post(&removal, json!({ "reason": REASON, "ticket_ref": "HR-2" }));
    remove().await.expect(204);
    remove().await.problem(422, "not_staff");
    newcomer.get("/v1/admin/search?q=acme").await.problem(403, "permission_denied");
    assert_eq!(t.recorded("staff.tier_changed").await, 2, "the grant and the removal are recorded");
    assert_eq!(
        super_admin.get("/v1/admin/staff").await.expect(200).json["data"].as_array().map(Vec::len),
        Some(5),
        "the demo's 5 staff members are listed"
    );
}
