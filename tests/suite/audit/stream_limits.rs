//! Limits of streams and exports: concurrency, slow clients, expired tokens and ended sessions.

use postern_persistence::demo::Size;
use postern_tests::{App, Person, on_all};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::event_stream::{ACME_STREAM, EventStream};

on_all![
    concurrent_streams_are_limited,
    slow_reader_is_disconnected,
    export_outlasts_its_token_but_not_its_session,
];

/// An org with an export that is larger than the buffers of a connection.
const LARGE_ORG: Size = Size { orgs: 1, members: 2, events: 30_000 };

async fn concurrent_streams_are_limited(t: &App) {
    let server = App::start(t.backend, |config| {
        (config.server.max_concurrent_streams, config.server.max_concurrent_streams_per_user) =
            (1, 1);
    })
    .await;
    let owner = server.sign_in("owner@acme.example").await;
    let first = EventStream::open(&owner, ACME_STREAM, None).await;
    // The limit applies per user, per org and in total. Exports count as streams.
    owner.get(ACME_STREAM).await.problem(429, "too_many_streams");
    owner.get("/v1/orgs/acme/audit-events/export").await.problem(429, "too_many_streams");
    server
        .sign_in("admin@acme.example")
        .await
        .get(ACME_STREAM)
        .await
        .problem(429, "too_many_streams");
    server
        .sign_in("owner@globex.example")
        .await
        .get("/v1/orgs/globex/audit-events?q=x")
        .await
        .problem(503, "unavailable");
    // Open streams do not block shutdown.
    let end = async {
        let mut first = first;
        while first.next_block().await.is_some() {}
    };
    futures_util::future::join(server.handle().stop(), end).await;
    server.finish().await;
}

/// Starts a large export and reads only the first 12 bytes of the response. The receive buffer is
/// small, so the server has to wait for the client.
async fn start_export(app: &App, owner: &Person<'_>) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("the socket is created");
    socket.set_recv_buffer_size(4_096).expect("the buffer size is set");
    let mut connection = socket
        .connect(app.address.trim_start_matches("http://").parse().expect("the address is valid"))
        .await
        .expect("the connection opens");
    let token = owner.token.as_deref().expect("the caller is signed in");
    let headers = format!("Host: x\r\nAuthorization: Bearer {token}\r\nConnection: close");
    let path = "/v1/orgs/company-1/audit-events/export?format=csv";
    let request = format!("GET {path} HTTP/1.1\r\n{headers}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("the request is sent");
    let mut head = [0; 12];
    connection.read_exact(&mut head).await.expect("the response starts");
    assert_eq!(&head, b"HTTP/1.1 200", "the export starts");
    connection
}

async fn export_outlasts_its_token_but_not_its_session(t: &App) {
    t.fill(LARGE_ORG).await;
    let owner = t.sign_in("member-1@company-1.example").await;
    let mut connection = start_export(t, &owner).await;
    t.clock.advance(chrono::TimeDelta::minutes(11));
    owner.get("/v1/me").await.problem(401, "token_expired");
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.expect("the body arrives");
    assert!(rest.ends_with(b"0\r\n\r\n"), "the export is complete after {} bytes", rest.len());
    let owner = t.sign_in("member-1@company-1.example").await;
    let mut connection = start_export(t, &owner).await;
    owner.post("/v1/auth/logout", json!({})).await.expect(204);
    rest.clear();
    connection.read_to_end(&mut rest).await.unwrap_or_default();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "the export is incomplete after {} bytes", rest.len());
}

/// A client that does not read is disconnected after `stream_write_timeout_seconds`. Other requests
/// are not blocked.
async fn slow_reader_is_disconnected(t: &App) {
    let server = App::start(t.backend, |config| {
        (
            config.server.stream_write_timeout_seconds,
            config.server.max_concurrent_streams_per_user,
        ) = (1, 1);
    })
    .await;
    server.fill(LARGE_ORG).await;
    let (owner, other) = (
        server.sign_in("member-1@company-1.example").await,
        server.sign_in("owner@acme.example").await,
    );
    let mut connection = start_export(&server, &owner).await;
    let empty_export = "/v1/orgs/company-1/audit-events/export?to=2000-01-01T00:00:00Z";
    let mut changes = 0;
    while owner.get(empty_export).await.status == 429 {
        other
            .patch("/v1/orgs/acme", json!({ "name": format!("Acme {changes}") }))
            .await
            .expect(200);
        changes += 1;
        assert!(changes < 5_000, "the slow client is disconnected");
    }
    // The buffered rest of the export lacks the final chunk, so the client can tell it is
    // incomplete.
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.unwrap_or_default();
    assert!(
        changes > 0 && !rest.ends_with(b"0\r\n\r\n"),
        "other requests succeed ({changes}), and the export is incomplete after {} bytes",
        rest.len()
    );
    server.finish().await;
}
