//! `logout`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![sign_out_ends_the_session, repeated_idempotency_key_does_not_replay_a_sign_out,];

async fn sign_out_ends_the_session(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    me.get("/v1/me").await.expect(200);
    let sign_ins = t.recorded("auth.login_succeeded").await;
    me.post("/v1/auth/logout", json!({})).await.expect(204);
    me.get("/v1/me").await.problem(401, "session_ended");
    assert_eq!(t.recorded("auth.logged_out").await, 1, "the sign-out is recorded");
    assert_eq!(
        t.recorded("auth.login_succeeded").await,
        sign_ins,
        "the sign-out records no sign-in"
    );
}

async fn repeated_idempotency_key_does_not_replay_a_sign_out(t: &App) {
    for _ in 0..2 {
        let me = t.sign_in("owner@acme.example").await;
        let response = me
            .request("POST", "/v1/auth/logout")
            .header("idempotency-key", "always-the-same")
            .json(&json!({}))
            .send()
            .await;
        let status = response.expect("the server responds").status();
        assert_eq!(status, 204, "the sign-out succeeds");
        me.get("/v1/me").await.problem(401, "session_ended");
    }
}
