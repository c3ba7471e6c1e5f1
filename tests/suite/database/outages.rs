//! A PostgreSQL that stops responding, is replaced, or fails during a commit.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use postern_tests::{App, Backend, Failure, PASSWORD, Person, Proxy, Response, cluster, tests_on};
use serde_json::json;

tests_on! { postgres, Postgres:
    frozen_database_is_answered_within_deadlines,
    silent_connections_are_replaced,
    lost_commit_responses_are_resolved,
    lost_commits_change_nothing,
    unknown_outcome_is_reported,
    lost_refresh_is_resolved,
    waits_for_locks_close_no_connections
}

const SHORT: Duration = Duration::from_secs(1);
/// Longer than a request may wait for the database.
const LONG: Duration = Duration::from_mins(1);

/// A server with a proxy in front of its database.
async fn start_behind_proxy(statement_timeout: Duration) -> (App, Proxy) {
    let proxy = cluster::proxy().await;
    let change = |options: &mut postern_persistence::Options| {
        options.url = proxy.url(&options.url);
        options.statement_timeout = statement_timeout;
        options.acquire_timeout = LONG;
    };
    let server = App::start_on(Backend::Postgres, |_| {}, change).await;
    (server, proxy)
}

async fn frozen_database_is_answered_within_deadlines(_: &App) {
    let (server, proxy) = start_behind_proxy(LONG).await;
    let me = server.sign_in("owner@acme.example").await;
    proxy.fail(Failure::Freeze);
    let started = Instant::now();
    // More requests than connections: those without a connection wait for one.
    let requests = (0..20).map(|_| me.get("/v1/orgs/acme"));
    let answers = async {
        for response in join_all(requests).await {
            response.problem(503, "unavailable");
        }
        started.elapsed()
    };
    let ready = async {
        server.anonymous().get("/readyz").await.problem(503, "unavailable");
        started.elapsed()
    };
    let (answered, ready) = tokio::join!(answers, ready);
    assert!(answered < Duration::from_secs(15), "requests are answered after {answered:?}");
    assert!(ready < Duration::from_secs(2), "/readyz responds after {ready:?}");
    server.anonymous().get("/healthz").await.expect(200);
    proxy.fail(Failure::None);
    for response in join_all((0..20).map(|_| me.get("/v1/orgs/acme"))).await {
        response.expect(200);
    }
    me.patch("/v1/orgs/acme", json!({ "name": "After the outage" })).await.expect(200);
    server.finish().await;
}

/// Reads until the server responds with 200 again.
async fn recover(me: &Person<'_>) {
    let started = Instant::now();
    while me.get("/v1/orgs/acme").await.status != 200 {
        assert!(started.elapsed() < Duration::from_mins(1), "the server recovers within 60 s");
    }
}

async fn silent_connections_are_replaced(_: &App) {
    let (server, proxy) = start_behind_proxy(SHORT).await;
    let me = server.sign_in("owner@acme.example").await;
    for response in join_all((0..20).map(|_| me.get("/v1/orgs/acme"))).await {
        response.expect(200);
    }
    proxy.fail(Failure::Silence);
    recover(&me).await;
    // The first loss closes the other idle connections too.
    for response in join_all((0..20).map(|_| me.get("/v1/orgs/acme"))).await {
        response.expect(200);
    }
    server.finish().await;
}

async fn lost_commit_responses_are_resolved(_: &App) {
    let (server, proxy) = start_behind_proxy(SHORT).await;
    let me = server.sign_in("owner@acme.example").await;
    proxy.fail(Failure::LoseCommitResponse);
    let renamed = me.patch("/v1/orgs/acme", json!({ "name": "Renamed once" })).await.expect(200);
    assert_eq!(renamed.text("/name"), "Renamed once", "the response has the change");
    proxy.fail(Failure::None);
    assert_eq!(server.recorded("org.updated").await, 1, "the change is recorded");
    server.finish().await;
}

async fn lost_commits_change_nothing(_: &App) {
    let (server, proxy) = start_behind_proxy(SHORT).await;
    let me = server.sign_in("owner@acme.example").await;
    proxy.fail(Failure::LoseCommit);
    let change = json!({ "name": "Not renamed" });
    me.patch("/v1/orgs/acme", change).await.problem(503, "unavailable");
    proxy.fail(Failure::None);
    assert_eq!(server.recorded("org.updated").await, 0, "nothing is changed");
    server.finish().await;
}

async fn unknown_outcome_is_reported(_: &App) {
    let (server, proxy) = start_behind_proxy(SHORT).await;
    let me = server.sign_in("owner@acme.example").await;
    let create = || async {
        let body = json!({ "name": "Uncertain", "slug": "uncertain" });
        let request = me.request("POST", "/v1/orgs").header("idempotency-key", "the-same-key");
        Response::of(request.json(&body).send().await).await
    };
    let before = server.recorded("org.created").await;
    proxy.fail(Failure::LoseDatabaseAtCommit);
    let unknown = create().await.problem(503, "outcome_unknown");
    assert!(!unknown.header("retry-after").is_empty(), "the response says when to repeat");
    proxy.fail(Failure::None);
    assert_eq!(server.recorded("org.created").await, before + 1, "the org was created");
    let repeated = create().await.expect(201);
    assert_eq!(repeated.header("idempotency-replayed"), "true", "it is not created again");
    assert_eq!(server.recorded("org.created").await, before + 1, "it is not created again");
    server.finish().await;
}

/// A refresh writes no event, and a repeated one would end the session.
async fn lost_refresh_is_resolved(_: &App) {
    let (server, proxy) = start_behind_proxy(SHORT).await;
    let login = server.log_in("owner@acme.example", PASSWORD).await.expect(200);
    let refresh = json!({ "refresh_token": login.text("/refresh_token") });
    proxy.fail(Failure::LoseCommitResponse);
    server.anonymous().post("/v1/auth/refresh", refresh).await.expect(200);
    proxy.fail(Failure::None);
    server.finish().await;
}

/// A request that waits for too long for a row ends without an effect on other connections.
async fn waits_for_locks_close_no_connections(_: &App) {
    let (server, _proxy) = start_behind_proxy(LONG).await;
    let me = server.sign_in("owner@acme.example").await;
    for response in join_all((0..4).map(|_| me.get("/v1/orgs/acme"))).await {
        response.expect(200);
    }
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'postern' AND \
                datname = current_database()";
    let connections = server.db.count(open).await;
    let blocker = server.db.lock("SELECT FROM organization WHERE slug = 'acme' FOR UPDATE").await;
    let started = Instant::now();
    me.patch("/v1/orgs/acme", json!({ "name": "Late" })).await.problem(503, "unavailable");
    assert!(started.elapsed() < Duration::from_secs(15), "the request is answered in time");
    assert_eq!(server.db.count(open).await, connections, "no connection is closed");
    blocker.close().await.expect("the connection closes");
    server.finish().await;
}
