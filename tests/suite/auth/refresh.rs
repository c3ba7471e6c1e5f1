//! `refresh`: rotation and reuse of refresh tokens.

use futures_util::future::join_all;
use postern_tests::{App, PASSWORD, on_both};
use serde_json::json;

on_both![refresh_rotates_and_reuse_ends_the_session, one_of_concurrent_refreshes_succeeds];

async fn refresh_rotates_and_reuse_ends_the_session(t: &App) {
    let first = t.log_in("owner@acme.example", PASSWORD).await.expect(200);
    let (access, refresh) = (first.text("/access_token"), first.text("/refresh_token"));
    let anonymous = t.anonymous();
    let second =
        anonymous.post("/v1/auth/refresh", json!({ "refresh_token": refresh })).await.expect(200);
    assert_ne!(second.text("/refresh_token"), refresh, "the refresh token is rotated");
    t.bearer(&second.text("/access_token")).get("/v1/me").await.expect(200);
    assert_eq!(t.recorded("auth.refresh_reused").await, 0, "the first use is no reuse");

    anonymous
        .post("/v1/auth/refresh", json!({ "refresh_token": refresh }))
        .await
        .problem(401, "invalid_refresh_token");
    assert_eq!(t.recorded("auth.refresh_reused").await, 1, "the reuse is recorded");
    t.bearer(&access).get("/v1/me").await.problem(401, "session_ended");
    t.bearer(&second.text("/access_token")).get("/v1/me").await.problem(401, "session_ended");
    let successor = json!({ "refresh_token": second.text("/refresh_token") });
    anonymous.post("/v1/auth/refresh", successor).await.problem(401, "invalid_refresh_token");
    anonymous
        .post("/v1/auth/refresh", json!({ "refresh_token": access }))
        .await
        .problem(401, "invalid_refresh_token");
    anonymous
        .post("/v1/auth/refresh", json!({ "refresh_token": refresh }))
        .await
        .problem(401, "invalid_refresh_token");
    assert_eq!(t.recorded("auth.refresh_reused").await, 1, "the reuse is recorded once");
    t.bearer(&refresh).get("/v1/me").await.problem(401, "invalid_token");
}

async fn one_of_concurrent_refreshes_succeeds(t: &App) {
    for _ in 0..5 {
        let refresh =
            t.log_in("owner@acme.example", PASSWORD).await.expect(200).text("/refresh_token");
        let anonymous = t.anonymous();
        let requests = (0..20)
            .map(|_| anonymous.post("/v1/auth/refresh", json!({ "refresh_token": refresh })));
        let responses = join_all(requests).await;
        assert_eq!(
            responses.iter().filter(|response| response.status == 200).count(),
            1,
            "one refresh succeeds"
        );
        assert!(
            responses.iter().all(|response| response.status == 200 || response.status == 401),
            "the others get 401: {responses:?}"
        );
    }
}
