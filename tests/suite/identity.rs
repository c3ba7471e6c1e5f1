//! Sign-in, sign-out, sessions, passwords and profiles.

use chrono::TimeDelta;
use postern_tests::{App, PASSWORD, on_both};
use serde_json::json;

on_both![
    sign_in_and_out,
    unknown_address_and_wrong_password_look_the_same,
    refresh_rotates_and_reuse_ends_the_session,
    one_of_concurrent_refreshes_succeeds,
    access_tokens_expire_without_leeway,
    changing_the_password_ends_other_sessions,
    weak_new_passwords_are_rejected,
    failed_sign_ins_are_rate_limited,
    sessions_are_listed_and_revoked,
    profile_is_updated,
    concurrent_sign_ins_all_succeed,
    password_change_ends_concurrent_sign_ins,
    password_change_attempts_are_rate_limited,
    ip_address_with_session_is_exempt_from_rate_limit,
];

async fn sign_in_and_out(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let answer = me.get("/v1/me").await.expect(200);
    assert_eq!(answer.json["user"]["email"], "owner@acme.example", "/v1/me returns the caller");
    assert_eq!(answer.json["impersonation"], json!(null), "the session is no impersonation");
    assert_eq!(answer.header("cache-control"), "no-store", "responses are not cached");
    let events = t.recorded("auth.login_succeeded").await;
    me.post("/v1/auth/logout", json!({})).await.expect(204);
    me.get("/v1/me").await.problem(401, "session_ended");
    assert_eq!(t.recorded("auth.logged_out").await, 1, "the sign-out is recorded");
    assert_eq!(t.recorded("auth.login_succeeded").await, events, "the sign-out records no sign-in");
    t.anonymous().get("/v1/me").await.problem(401, "unauthenticated");
    // A repeated idempotency key does not replay the sign-out of another session.
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

async fn unknown_address_and_wrong_password_look_the_same(t: &App) {
    let unknown = t
        .log_in("unknown@acme.example", "not the password")
        .await
        .problem(401, "invalid_credentials");
    let wrong = t
        .log_in("owner@acme.example", "not the password")
        .await
        .problem(401, "invalid_credentials");
    assert_eq!(
        unknown.without_request_id(),
        wrong.without_request_id(),
        "both responses have the same body"
    );
    let names = |answer: &postern_tests::Answer| {
        answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&unknown), names(&wrong), "both responses have the same headers");
    let events = t.events("action=auth.login_failed").await;
    assert_eq!(events.len(), 2, "both failures are recorded");
    assert_eq!(events[0]["outcome"], "failed", "the outcome is failed");
    assert_eq!(
        events[0]["actor"],
        json!({ "type": "user", "id": null, "email": "owner@acme.example" }),
        "the actor has the typed address and no id"
    );
    assert!(
        !events.iter().any(|event| event.to_string().contains("not the password")),
        "no event contains the password"
    );
}

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
        let answers = futures_util::future::join_all(requests).await;
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 200).count(),
            1,
            "one refresh succeeds"
        );
        assert!(
            answers.iter().all(|answer| answer.status == 200 || answer.status == 401),
            "the others get 401: {answers:?}"
        );
    }
}

async fn access_tokens_expire_without_leeway(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    t.clock.turn(TimeDelta::minutes(10) - TimeDelta::seconds(1));
    me.get("/v1/me").await.expect(200);
    t.clock.turn(TimeDelta::seconds(1));
    me.get("/v1/me").await.problem(401, "token_expired");
    t.clock.turn(TimeDelta::hours(-2));
    me.get("/v1/me").await.problem(401, "invalid_token");
}

async fn changing_the_password_ends_other_sessions(t: &App) {
    let (current, other) =
        (t.sign_in("viewer@acme.example").await, t.sign_in("viewer@acme.example").await);
    let change =
        |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
    let new = "four random words do";
    current
        .post("/v1/me/password", change("not the password", new))
        .await
        .problem(403, "wrong_password");
    other.get("/v1/me").await.expect(200);
    current.post("/v1/me/password", change(PASSWORD, new)).await.expect(204);
    current.get("/v1/me").await.expect(200);
    other.get("/v1/me").await.problem(401, "session_ended");
    t.log_in("viewer@acme.example", PASSWORD).await.problem(401, "invalid_credentials");
    t.log_in("viewer@acme.example", new).await.expect(200);
    assert_eq!(t.recorded("user.password_changed").await, 1, "the change is recorded once");
}

async fn weak_new_passwords_are_rejected(t: &App) {
    let me = t.sign_in("viewer@acme.example").await;
    for weak in ["short", "password1234", "viewer@acme.example", "postern-1234!!", &"x".repeat(129)]
    {
        let body = json!({ "current_password": PASSWORD, "new_password": weak });
        me.post("/v1/me/password", body).await.problem(422, "weak_password");
    }
    assert_eq!(t.recorded("user.password_changed").await, 0, "no change is recorded");
}

async fn failed_sign_ins_are_rate_limited(t: &App) {
    for _ in 0..10 {
        t.log_in("admin@acme.example", "not the password")
            .await
            .problem(401, "invalid_credentials");
    }
    let limited = t.log_in("admin@acme.example", PASSWORD).await.problem(429, "too_many_attempts");
    assert_eq!(limited.header("retry-after"), "3600", "the limit lasts an hour");
    for _ in 0..10 {
        t.log_in("unknown@acme.example", "not the password")
            .await
            .problem(401, "invalid_credentials");
    }
    t.log_in("unknown@acme.example", PASSWORD).await.problem(429, "too_many_attempts");
    // The same limit for staff: another limit would reveal who is staff.
    for _ in 0..10 {
        t.log_in("eng@postern.example", "not the password")
            .await
            .problem(401, "invalid_credentials");
    }
    t.log_in("eng@postern.example", PASSWORD).await.problem(429, "too_many_attempts");
    t.clock.turn(TimeDelta::hours(1));
    t.log_in("admin@acme.example", PASSWORD).await.expect(200);
}

async fn sessions_are_listed_and_revoked(t: &App) {
    let (current, other) =
        (t.sign_in("member@acme.example").await, t.sign_in("member@acme.example").await);
    let first_page = current.get("/v1/me/sessions?limit=1").await.expect(200);
    let (newest, cursor) = (first_page.text("/data/0/id"), first_page.text("/next_cursor"));
    let rest = current.get(&format!("/v1/me/sessions?limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!(rest.json["next_cursor"], json!(null), "the second page is the last");
    assert_ne!(rest.text("/data/0/id"), newest, "the second page lists another session");
    current.delete(&format!("/v1/me/sessions/{newest}")).await.expect(204);
    current.delete(&format!("/v1/me/sessions/{newest}")).await.expect(204);
    other.get("/v1/me").await.problem(401, "session_ended");
    current.get("/v1/me").await.expect(200);
    assert_eq!(t.recorded("auth.session_revoked").await, 1, "the revocation is recorded once");
    let other_user = t.sign_in("member@globex.example").await;
    let current_id = rest.text("/data/0/id");
    other_user.delete(&format!("/v1/me/sessions/{current_id}")).await.problem(404, "not_found");
    current.get("/v1/me").await.expect(200);
}

async fn profile_is_updated(t: &App) {
    let me = t.sign_in("member@acme.example").await;
    let changed = me
        .patch(
            "/v1/me",
            json!({ "name": "Mia Berg", "image_url": "https://cdn.acme.example/mia.png" }),
        )
        .await
        .expect(200);
    assert_eq!(changed.json["name"], "Mia Berg", "the name is changed");
    me.patch("/v1/me", json!({ "image_url": null })).await.expect(200);
    me.patch("/v1/me", json!({})).await.expect(200);
    me.patch("/v1/me", json!({ "image_url": "http://127.0.0.1/x" }))
        .await
        .problem(422, "invalid_body");
    let events = t.events("action=user.profile_updated").await;
    assert_eq!(events.len(), 2, "unchanged profiles are not recorded");
    assert_eq!(
        events[1]["metadata"]["name"],
        json!({ "old": "Mia Lund", "new": "Mia Berg" }),
        "the event has the old and new name"
    );
}

async fn concurrent_sign_ins_all_succeed(t: &App) {
    let requests = (0..100).map(|_| t.log_in("owner@globex.example", PASSWORD));
    let answers = futures_util::future::join_all(requests).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "all sign-ins succeed");
}

async fn password_change_ends_concurrent_sign_ins(t: &App) {
    let (mut old, mut new) = (PASSWORD.to_owned(), "four random words do".to_owned());
    for round in 0..10 {
        let token = t.log_in("viewer@acme.example", &old).await.expect(200).text("/access_token");
        let me = t.bearer(&token);
        let change =
            me.post("/v1/me/password", json!({ "current_password": old, "new_password": new }));
        let racing =
            futures_util::future::join_all((0..12).map(|_| t.log_in("viewer@acme.example", &old)));
        let (changed, racing) = futures_util::future::join(change, racing).await;
        changed.expect(204);
        for answer in racing.iter().filter(|answer| answer.status == 200) {
            let status = t.bearer(&answer.text("/access_token")).get("/v1/me").await.status;
            assert_eq!(status, 401, "round {round}: sessions of the old password have ended");
        }
        std::mem::swap(&mut old, &mut new);
        // Failed sign-ins of this round do not count in the next.
        t.clock.turn(TimeDelta::hours(2));
    }
}

async fn password_change_attempts_are_rate_limited(t: &App) {
    let me = t.sign_in("viewer@acme.example").await;
    let guess = |n: usize| {
        let body = json!({
            "current_password": format!("guess number {n}"),
            "new_password": "four random words do",
        });
        me.post("/v1/me/password", body)
    };
    for n in 0..10 {
        guess(n).await.problem(403, "wrong_password");
    }
    guess(10).await.problem(429, "too_many_attempts");
    let failed = t.events("action=auth.login_failed").await;
    assert_eq!(failed.len(), 10, "each wrong password is recorded");
    assert_eq!(failed[0]["actor"]["email"], "viewer@acme.example", "the event names the user");
    assert_eq!(failed[0]["outcome"], "failed", "the outcome is failed");
}

async fn ip_address_with_session_is_exempt_from_rate_limit(t: &App) {
    let server = App::start(t.backend, |config| {
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().expect("the network is valid")]
    })
    .await;
    let sign_in_from = |ip: &'static str, password: &'static str| {
        let body = json!({ "email": "owner@acme.example", "password": password });
        let request = server
            .anonymous()
            .request("POST", "/v1/auth/login")
            .header("x-forwarded-for", ip)
            .json(&body);
        async move { postern_tests::Answer::of(request.send().await).await }
    };
    sign_in_from("203.0.113.9", PASSWORD).await.expect(200);
    for _ in 0..10 {
        sign_in_from("198.51.100.7", "not the password").await.problem(401, "invalid_credentials");
    }
    sign_in_from("198.51.100.7", PASSWORD).await.problem(429, "too_many_attempts");
    sign_in_from("203.0.113.9", PASSWORD).await.expect(200);
    server.finish().await;
}
