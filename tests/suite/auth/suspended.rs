//! Suspended users: they cannot sign in, refresh, or use a session from before the suspension.

use postern_tests::{App, PASSWORD, on_both};
use serde_json::json;

on_both![suspended_users_are_rejected];

async fn suspended_users_are_rejected(t: &App) {
    let login = t.log_in("owner@acme.example", PASSWORD).await.expect(200);
    let me = t.bearer(&login.text("/access_token"));
    me.get("/v1/me").await.expect(200);
    // There is no operation that suspends users yet.
    t.run_sql("UPDATE \"user\" SET suspended_at = created_at WHERE email = 'owner@acme.example'")
        .await;
    me.get("/v1/me").await.problem(401, "session_ended");
    me.get("/v1/orgs/acme").await.problem(401, "session_ended");
    let refresh = json!({ "refresh_token": login.text("/refresh_token") });
    t.anonymous().post("/v1/auth/refresh", refresh).await.expect(401);
    t.log_in("owner@acme.example", PASSWORD).await.problem(401, "invalid_credentials");
    t.run_sql("UPDATE \"user\" SET suspended_at = NULL").await;
    t.log_in("owner@acme.example", PASSWORD).await.expect(200);
}
