//! Idempotency keys, by the example of `start_impersonation`.

use chrono::TimeDelta;
use futures_util::future::join_all;
use postern_tests::{App, Person, Response, on_both};
use serde_json::Value;

use crate::impersonation::start_body;

on_both![
    repeated_request_returns_the_stored_response,
    invalid_keys_are_rejected,
    keys_belong_to_their_caller,
    concurrent_requests_run_once,
    key_can_be_used_again_after_a_day,
];

/// Starts an impersonation with an idempotency key.
fn start(caller: &Person<'_>, key: &str, body: &Value) -> impl Future<Output = Response> + use<> {
    let request = caller
        .request("POST", "/v1/admin/impersonations")
        .header("idempotency-key", key)
        .json(body);
    async move { Response::of(request.send().await).await }
}

async fn repeated_request_returns_the_stored_response(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let ana = t.user_id("owner@acme.example").await;
    let body = start_body(&ana, "acme");
    let first = start(&support, "k-1", &body).await.expect(201);
    let again = start(&support, "k-1", &body).await.expect(201);
    assert_eq!(again.body, first.body, "the second request returns the stored response");
    assert_eq!(
        again.header("location"),
        first.header("location"),
        "the second response has the same location"
    );
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        (String::new(), "true".to_owned()),
        "only the second response is marked as replayed"
    );
    start(&support, "k-1", &start_body(&ana, "globex"))
        .await
        .problem(422, "idempotency_key_reused");
    assert_eq!(t.recorded("impersonation.started").await, 1, "one impersonation is started");
}

async fn invalid_keys_are_rejected(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let body = start_body(&t.user_id("owner@acme.example").await, "acme");
    let without_key = support.request("POST", "/v1/admin/impersonations").json(&body);
    Response::of(without_key.send().await).await.problem(400, "idempotency_key_required");
    for invalid in ["", "with space", &"k".repeat(256)] {
        start(&support, invalid, &body).await.problem(400, "invalid_header");
    }
    assert_eq!(t.recorded("impersonation.started").await, 0, "no impersonation is started");
    assert_eq!(t.db.count("SELECT count(*) FROM idempotency_key").await, 0, "no key is stored");
}

async fn keys_belong_to_their_caller(t: &App) {
    let (support, other) =
        (t.sign_in("support@postern.example").await, t.sign_in("ops@postern.example").await);
    let body = start_body(&t.user_id("owner@acme.example").await, "acme");
    for caller in [&support, &other] {
        start(caller, "k-1", &body).await.expect(201);
    }
    assert_eq!(
        t.recorded("impersonation.started").await,
        2,
        "one impersonation per caller is started"
    );
    assert_eq!(
        t.db.count("SELECT count(*) FROM idempotency_key").await,
        2,
        "one key per caller is stored"
    );
    let concurrent = join_all((0..20).map(|n| {
        let caller = if n % 2 == 0 { &support } else { &other };
        start(caller, &format!("k-{}", 2 + n / 2), &body)
    }))
    .await;
    assert!(
        concurrent.iter().all(|response| response.status == 201),
        "keys of two callers do not collide: {concurrent:?}"
    );
}

async fn concurrent_requests_run_once(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let body = start_body(&t.user_id("owner@acme.example").await, "acme");
    let responses = join_all((0..20).map(|_| start(&support, "k-1", &body))).await;
    assert!(
        responses.iter().all(|response| response.status == 201 || response.status == 409),
        "each response is 201 or 409: {responses:?}"
    );
    let mut bodies =
        responses.iter().filter(|response| response.status == 201).map(|response| &response.body);
    let first = bodies.next().expect("one response is successful");
    assert!(bodies.all(|body| body == first), "all successful responses are equal: {responses:?}");
    assert_eq!(
        t.recorded("impersonation.started").await,
        1,
        "concurrent requests start one impersonation"
    );
}

async fn key_can_be_used_again_after_a_day(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let body = start_body(&t.user_id("owner@acme.example").await, "acme");
    start(&support, "k-1", &body).await.expect(201);
    t.clock.advance(TimeDelta::hours(24));
    let support = t.sign_in("support@postern.example").await;
    start(&support, "k-1", &body).await.expect(201);
    assert_eq!(
        t.recorded("impersonation.started").await,
        2,
        "a key can be used again after 24 hours"
    );
}
