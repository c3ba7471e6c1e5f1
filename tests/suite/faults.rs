//! Clients that hang up and dawdle, databases that fail.

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

/// A request as bytes.
fn bytes(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: postern\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Sends the first `sent` bytes of a request, reads `read` bytes of the answer, and resets the connection.
fn reset_after(address: &str, request: &[u8], sent: usize, read: usize) {
    let socket = socket2::Socket::from(
        TcpStream::connect(address.trim_start_matches("http://")).expect("connects"),
    );
    // With nothing to linger for, closing sends a reset.
    socket.set_linger(Some(Duration::ZERO)).expect("set");
    let mut stream = TcpStream::from(socket);
    stream.write_all(&request[..sent.min(request.len())]).expect("sent");
    if read > 0 {
        let mut answer = vec![0; read];
        let _ = stream.read(&mut answer);
    }
}

async fn connection_resets_leave_no_partial_change(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let token = me.token.clone().expect("a token");
    let address = t.address.clone();
    // At every point of the request, after it, and at several of the answer; each request would found an org of its own.
    let founding = move |n: usize| {
        bytes(
            "POST",
            "/v1/orgs",
            &token,
            &json!({ "name": "Reset", "slug": format!("reset-{n}") }).to_string(),
        )
    };
    let whole = founding(0).len() + 8;
    let resets = tokio::task::spawn_blocking(move || {
        for n in 0..60 {
            let request = founding(n);
            match n % 3 {
                0 => reset_after(&address, &request, n * whole / 60, 0),
                1 => reset_after(&address, &request, request.len(), 0),
                _ => reset_after(&address, &request, request.len(), n),
            }
        }
    });
    resets.await.expect("all were sent");
    // What has been answered is there, and at no moment does the state say something else than the record.
    let founded = t.db.count("SELECT count(*) FROM organization WHERE slug LIKE 'reset-%'").await;
    assert!(founded >= 20, "those that were answered are there: {founded}");
    let torn = "SELECT count(*) FROM organization o WHERE o.slug LIKE 'reset-%' AND \
        ((SELECT count(*) FROM audit_event e WHERE e.action = 'org.created' AND e.org_id = o.id) <> 1 \
         OR (SELECT count(*) FROM membership m WHERE m.org_id = o.id AND m.role = 'owner') <> 1 \
         OR (SELECT count(*) FROM org_setting s WHERE s.org_id = o.id) <> 1)";
    let ghosts = "SELECT count(*) FROM audit_event e WHERE e.action = 'org.created' AND e.target_label LIKE 'reset-%' \
        AND NOT EXISTS (SELECT 1 FROM organization o WHERE o.id = e.org_id)";
    for half_done in [torn, ghosts] {
        assert_eq!(t.db.count(half_done).await, 0, "{half_done}");
    }
    me.patch("/v1/orgs/acme", json!({ "name": "Acme after all that" })).await.expect(200);
}

async fn started_request_completes_after_disconnect(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let request = bytes(
        "PATCH",
        "/v1/orgs/acme",
        me.token.as_ref().expect("a token"),
        "{\"name\": \"Renamed all the same\"}",
    );
    // Somebody else holds the row (on SQLite the whole database), so the request gets half way and waits.
    let holds = t.db.raw.begin().await.expect("begins");
    holds
        .execute_unprepared("UPDATE organization SET name = name WHERE slug = 'acme'")
        .await
        .expect("locks");
    let half_way = t.state.store.statements() + if t.backend == Backend::Postgres { 3 } else { 1 };
    let mut stream = TcpStream::connect(t.address.trim_start_matches("http://")).expect("connects");
    stream.write_all(&request).expect("sent");
    while t.state.store.statements() < half_way {
        tokio::task::yield_now().await;
    }
    let socket = socket2::Socket::from(stream);
    socket.set_linger(Some(Duration::ZERO)).expect("set");
    drop(socket);
    // Whoever is answered now is answered after the reset was seen.
    for _ in 0..100 {
        t.anonymous().get("/healthz").await.expect(200);
    }
    assert_eq!(t.recorded("org.updated").await, 0);
    holds.rollback().await.expect("lets go");
    let mut asked = 0;
    while t.recorded("org.updated").await == 0 {
        asked += 1;
        assert!(asked < 20_000, "the unit of work was dropped with its client");
    }
    assert_eq!(me.get("/v1/orgs/acme").await.expect(200).text("/name"), "Renamed all the same");
}

async fn slow_body_times_out(t: &App) {
    let impatient = App::start(t.backend, |config| config.server.request_timeout_seconds = 1).await;
    let token = impatient.sign_in("owner@acme.example").await.token.expect("a token");
    let address = impatient.address.trim_start_matches("http://").to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let request = bytes("PATCH", "/v1/orgs/acme", &token, "{\"name\": \"Drip\"}");
        let mut stream = TcpStream::connect(address).expect("connects");
        stream.write_all(&request[..request.len() - 5]).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered, and closed");
        answer
    });
    let answer = answer.await.expect("runs");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
    assert_eq!(impatient.recorded("org.updated").await, 0);
    impatient.finish().await;
}

async fn database_failure_returns_503_and_recovers(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let (breaks, mends) =
        ("ALTER TABLE membership RENAME TO gone", "ALTER TABLE gone RENAME TO membership");
    t.db.execute(breaks).await.expect("breaks");
    me.get("/v1/orgs/acme").await.problem(503, "unavailable");
    me.patch("/v1/orgs/acme", json!({ "name": "Other" })).await.problem(503, "unavailable");
    t.anonymous().get("/healthz").await.expect(200);
    t.db.execute(mends).await.expect("mends");
    me.get("/v1/orgs/acme").await.expect(200);
    if t.backend == Backend::Postgres {
        // All connections are cut, as when the server is restarted.
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        t.db.count(cut).await;
        let mut answers = Vec::new();
        for _ in 0..20 {
            answers.push(me.get("/v1/orgs/acme").await.status);
        }
        assert!(answers.iter().all(|status| [200, 503].contains(status)), "{answers:?}");
        assert_eq!(answers.last(), Some(&200), "it recovers: {answers:?}");
    }
    assert_eq!(t.recorded("org.updated").await, 0);
}

async fn stalled_clients_do_not_block_others(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let token = me.token.clone().expect("a token");
    // More half-sent writes than there are connections to the database.
    let address = t.address.trim_start_matches("http://").to_owned();
    let request = bytes("PATCH", "/v1/orgs/acme", &token, "{\"name\": \"Never\"}");
    let waiting: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).expect("connects");
            stream.write_all(&request[..request.len() - 1]).expect("sent");
            stream
        })
        .collect();
    me.patch("/v1/orgs/acme", json!({ "name": "Meanwhile" })).await.expect(200);
    me.get("/v1/orgs/acme/members").await.expect(200);
    drop(waiting);
    assert_eq!(t.recorded("org.updated").await, 1);
}
