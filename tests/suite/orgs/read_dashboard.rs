//! `read_dashboard`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![dashboard_returns_counts];

async fn dashboard_returns_counts(t: &App) {
    let dashboard = t
        .sign_in("viewer@initech.example")
        .await
        .get("/v1/orgs/initech/dashboard")
        .await
        .expect(200)
        .json;
    assert_eq!(
        dashboard["members_by_role"],
        json!({ "owner": 1, "admin": 1, "member": 1, "viewer": 1 }),
        "members by role"
    );
    assert_eq!(
        dashboard["usage"][0],
        json!({ "metric": "users", "used": 4, "limit": 10 }),
        "usage of users and its limit"
    );
    assert_eq!(
        dashboard["usage"][2],
        json!({ "metric": "projects", "used": 7, "limit": 3 }),
        "usage of projects above its limit"
    );
    assert_eq!(dashboard["plan"], "starter", "the plan of the org");
    assert_eq!(dashboard["features"], json!([]), "no feature is enabled");
    assert_eq!(dashboard["last_activity_at"], "2026-11-20T08:00:00Z", "time of the newest event");
}
