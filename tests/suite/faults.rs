//! Clients that disconnect or stall, and databases that fail.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use postern_tests::{App, Backend, on_both};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;

on_both![
    connection_resets_leave_no_partial_change,
    started_request_completes_after_disconnect,
    slow_body_times_out,
    database_failure_returns_503_and_recovers,
    stalled_clients_do_not_block_others,
];

/// An HTTP/1.1 request as bytes.
fn bytes(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: postern\r\nauthorization: Bearer \
         {token}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Sends the first `sent` bytes of a request, reads `read` bytes of the response, and resets the
/// connection.
fn reset_after(address: &str, request: &[u8], sent: usize, read: usize) {
    let socket = socket2::Socket::from(
        TcpStream::connect(address.trim_start_matches("http://")).expect("the connection opens"),
    );
    // With a linger time of zero, closing the socket sends a reset.
    socket.set_linger(Some(Duration::ZERO)).expect("the linger time is set");
    let mut stream = TcpStream::from(socket);
    stream.write_all(&request[..sent.min(request.len())]).expect("the request is sent");
    if read > 0 {
        let mut response = vec![0; read];
        let _ = stream.read(&mut response);
    }
}

async fn connection_resets_leave_no_partial_change(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let token = me.token.clone().expect("the caller is signed in");
    let address = t.address.clone();
    // Resets within the request, after it and within the response. Each request creates another
    // org.
    let create_org = move |n: usize| {
        bytes(
            "POST",
            "/v1/orgs",
            &token,
            &json!({ "name": "Reset", "slug": format!("reset-{n}") }).to_string(),
        )
    };
    let request_length = create_org(0).len() + 8;
    let resets = tokio::task::spawn_blocking(move || {
        for n in 0..60 {
            let request = create_org(n);
            match n % 3 {
                0 => reset_after(&address, &request, n * request_length / 60, 0),
                1 => reset_after(&address, &request, request.len(), 0),
                _ => reset_after(&address, &request, request.len(), n),
            }
        }
    });
    resets.await.expect("the task completes");
    // Requests with a response took effect, and state and audit log agree.
    let created = t.db.count("SELECT count(*) FROM organization WHERE slug LIKE 'reset-%'").await;
    assert!(created >= 20, "the 20 requests with a response created an org each: {created}");
    let partial_orgs = "SELECT count(*) FROM organization o WHERE o.slug LIKE 'reset-%' AND \
        ((SELECT count(*) FROM audit_event e WHERE e.action = 'org.created' AND e.org_id = o.id) \
        <> 1 OR (SELECT count(*) FROM membership m WHERE m.org_id = o.id AND m.role = 'owner') <> \
        1 OR (SELECT count(*) FROM org_setting s WHERE s.org_id = o.id) <> 1)";
    let events_without_org = "SELECT count(*) FROM audit_event e WHERE e.action = 'org.created' \
        AND e.target_label LIKE 'reset-%' AND NOT EXISTS (SELECT 1 FROM organization o WHERE o.id \
        = e.org_id)";
    for partial_changes in [partial_orgs, events_without_org] {
        assert_eq!(t.db.count(partial_changes).await, 0, "no partial change: {partial_changes}");
    }
    me.patch("/v1/orgs/acme", json!({ "name": "Acme after the resets" })).await.expect(200);
}

async fn started_request_completes_after_disconnect(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let request = bytes(
        "PATCH",
        "/v1/orgs/acme",
        me.token.as_ref().expect("the caller is signed in"),
        "{\"name\": \"Renamed after disconnect\"}",
    );
    // A lock on the row (on SQLite on the database) makes the request wait after its first
    // statements.
    let lock = t.db.raw.begin().await.expect("the transaction begins");
    lock.execute_unprepared("UPDATE organization SET name = name WHERE slug = 'acme'")
        .await
        .expect("the row is locked");
    let statements_before_lock =
        t.state.store.statements() + if t.backend == Backend::Postgres { 3 } else { 1 };
    let mut stream =
        TcpStream::connect(t.address.trim_start_matches("http://")).expect("the connection opens");
    stream.write_all(&request).expect("the request is sent");
    while t.state.store.statements() < statements_before_lock {
        tokio::task::yield_now().await;
    }
    let socket = socket2::Socket::from(stream);
    socket.set_linger(Some(Duration::ZERO)).expect("the linger time is set");
    drop(socket);
    // Requests that give the server time to notice the reset.
    for _ in 0..100 {
        t.anonymous().get("/healthz").await.expect(200);
    }
    assert_eq!(t.recorded("org.updated").await, 0, "the request waits for the lock");
    lock.rollback().await.expect("the lock is released");
    let mut polls = 0;
    while t.recorded("org.updated").await == 0 {
        polls += 1;
        assert!(polls < 20_000, "the unit of work commits after its client disconnects");
    }
    assert_eq!(
        me.get("/v1/orgs/acme").await.expect(200).text("/name"),
        "Renamed after disconnect",
        "the change is committed"
    );
}

async fn slow_body_times_out(t: &App) {
    let server = App::start(t.backend, |config| config.server.request_timeout_seconds = 1).await;
    let token = server.sign_in("owner@acme.example").await.token.expect("the caller is signed in");
    let address = server.address.trim_start_matches("http://").to_owned();
    let response = tokio::task::spawn_blocking(move || {
        let request = bytes("PATCH", "/v1/orgs/acme", &token, "{\"name\": \"Slow\"}");
        let mut stream = TcpStream::connect(address).expect("the connection opens");
        stream.write_all(&request[..request.len() - 5]).expect("the request is sent");
        let mut response = String::new();
        stream
            .read_to_string(&mut response)
            .expect("the server responds and closes the connection");
        response
    });
    let response = response.await.expect("the task completes");
    assert!(response.starts_with("HTTP/1.1 408"), "the response has status 408: {response}");
    assert!(response.contains("request_timeout"), "the problem is request_timeout: {response}");
    assert_eq!(server.recorded("org.updated").await, 0, "nothing is changed");
    server.finish().await;
}

async fn database_failure_returns_503_and_recovers(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let (break_sql, repair_sql) =
        ("ALTER TABLE membership RENAME TO gone", "ALTER TABLE gone RENAME TO membership");
    t.db.execute(break_sql).await.expect("the table is renamed");
    me.get("/v1/orgs/acme").await.problem(503, "unavailable");
    me.patch("/v1/orgs/acme", json!({ "name": "Other" })).await.problem(503, "unavailable");
    t.anonymous().get("/healthz").await.expect(200);
    t.db.execute(repair_sql).await.expect("the table is renamed back");
    me.get("/v1/orgs/acme").await.expect(200);
    if t.backend == Backend::Postgres {
        // Closes all connections, as a restart of the database does.
        let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE \
            datname = current_database() AND pid <> pg_backend_pid()";
        t.db.count(terminate).await;
        let mut responses = Vec::new();
        for _ in 0..20 {
            responses.push(me.get("/v1/orgs/acme").await.status);
        }
        assert!(
            responses.iter().all(|status| [200, 503].contains(status)),
            "each response is 200 or 503: {responses:?}"
        );
        assert_eq!(responses.last(), Some(&200), "the server reconnects: {responses:?}");
    }
    assert_eq!(t.recorded("org.updated").await, 0, "nothing is changed");
}

async fn stalled_clients_do_not_block_others(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let token = me.token.clone().expect("the caller is signed in");
    // More incomplete requests than database connections.
    let address = t.address.trim_start_matches("http://").to_owned();
    let request = bytes("PATCH", "/v1/orgs/acme", &token, "{\"name\": \"Incomplete\"}");
    let stalled: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).expect("the connection opens");
            stream.write_all(&request[..request.len() - 1]).expect("the request is sent");
            stream
        })
        .collect();
    me.patch("/v1/orgs/acme", json!({ "name": "Not blocked" })).await.expect(200);
    me.get("/v1/orgs/acme/members").await.expect(200);
    drop(stalled);
    assert_eq!(t.recorded("org.updated").await, 1, "only the complete request changes the org");
}
