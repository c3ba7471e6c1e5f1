//! `login`: credentials, rate limits, concurrency.

use chrono::TimeDelta;
use futures_util::future::join_all;
use postern_tests::{App, PASSWORD, Response, on_both};
use serde_json::json;

on_both![
    sign_in_identifies_the_caller,
    address_is_trimmed_and_folded,
    unknown_address_and_wrong_password_look_the_same,
    failed_sign_ins_are_rate_limited,
    ip_address_with_session_is_exempt_from_rate_limit,
    session_of_another_account_lifts_no_limit,
    concurrent_sign_ins_all_succeed,
];

async fn sign_in_identifies_the_caller(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let response = me.get("/v1/me").await.expect(200);
    assert_eq!(response.json["user"]["email"], "owner@acme.example", "/v1/me returns the caller");
    assert_eq!(response.json["impersonation"], json!(null), "the session is no impersonation");
    assert_eq!(response.header("cache-control"), "no-store", "responses are not cached");
    t.anonymous().get("/v1/me").await.problem(401, "unauthenticated");
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
    let names =
        |response: &Response| response.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
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
    t.clock.advance(TimeDelta::hours(1));
    t.log_in("admin@acme.example", PASSWORD).await.expect(200);
}

async fn ip_address_with_session_is_exempt_from_rate_limit(t: &App) {
    let server = App::start(t.backend, |config| {
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().expect("the network is valid")];
    })
    .await;
    let owner = "owner@acme.example";
    sign_in_from(&server, "203.0.113.9", owner, PASSWORD).await.expect(200);
    for _ in 0..10 {
        let failed = sign_in_from(&server, "198.51.100.7", owner, "not the password").await;
        failed.problem(401, "invalid_credentials");
    }
    let limited = sign_in_from(&server, "198.51.100.7", owner, PASSWORD).await;
    limited.problem(429, "too_many_attempts");
    sign_in_from(&server, "203.0.113.9", owner, PASSWORD).await.expect(200);
    server.finish().await;
}

/// Signs in through a proxy, from this IP address.
async fn sign_in_from(server: &App, ip: &str, email: &str, password: &str) -> Response {
    let caller = server.anonymous();
    let request = caller.request("POST", "/v1/auth/login").header("x-forwarded-for", ip);
    Response::of(request.json(&json!({ "email": email, "password": password })).send().await).await
}

async fn session_of_another_account_lifts_no_limit(t: &App) {
    let server = App::start(t.backend, |config| {
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().expect("the network is valid")];
    })
    .await;
    let (own, other) = ("owner@globex.example", "owner@acme.example");
    sign_in_from(&server, "203.0.113.9", own, PASSWORD).await.expect(200);
    for _ in 0..10 {
        let failed = sign_in_from(&server, "198.51.100.7", other, "not the password").await;
        failed.problem(401, "invalid_credentials");
    }
    let limited = sign_in_from(&server, "203.0.113.9", other, PASSWORD).await;
    limited.problem(429, "too_many_attempts");
    server.finish().await;
}

async fn concurrent_sign_ins_all_succeed(t: &App) {
    let requests = (0..100).map(|_| t.log_in("owner@globex.example", PASSWORD));
    let responses = join_all(requests).await;
    assert!(responses.iter().all(|response| response.status == 200), "all sign-ins succeed");
}

async fn address_is_trimmed_and_folded(t: &App) {
    t.log_in(" \tOwner@ACME.example \r\n", PASSWORD).await.expect(200);
    t.log_in("owner @acme.example", PASSWORD).await.problem(422, "invalid_body");
}
