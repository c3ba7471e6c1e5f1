//! Event streams and exports: order, resumption, lost access, limits and slow clients.

use std::time::Duration;

use futures_util::StreamExt;
use postern_tests::{App, Backend, Person, on_all, tests_on};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::log::download;

on_all![
    events_arrive_once_and_in_order,
    stream_ends_when_access_is_lost,
    concurrent_streams_are_limited,
    idle_stream_sends_keep_alives,
    slow_reader_is_disconnected,
    export_outlasts_its_token_but_not_its_session,
];

tests_on! { replicas, Postgres: log_changes_notify_other_processes }

/// A client of an event stream.
struct Following {
    bytes: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<Vec<u8>>>>>,
    read: String,
}

impl Following {
    async fn begin(who: &Person<'_>, path: &str, last: Option<&str>) -> Self {
        let mut request = who.request("GET", path).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.expect("the server responds");
        assert_eq!(answer.status(), 200, "the stream starts");
        assert_eq!(
            answer.headers()["content-type"],
            "text/event-stream",
            "the response is an event stream"
        );
        let bytes = Box::pin(answer.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())));
        let mut following = Self { bytes, read: String::new() };
        // The server subscribes to new events before it sends the `retry` line.
        let first = following.block().await.expect("the stream starts with a block");
        assert!(first.starts_with("retry: 2000"), "the first block sets the retry time: {first}");
        following
    }

    /// The next block without its final empty line, or none at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                return Some(block);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.bytes.next())
                .await
                .expect("a block arrives within 30 seconds")?;
            self.read += std::str::from_utf8(&chunk.ok()?).expect("the stream is UTF-8");
        }
    }

    /// The next event with its `id` line, or none at the end of the stream.
    async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let block = self.block().await?;
            let line = |name: &str| {
                block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
            };
            if let (Some(id), Some(data)) = (line("id: "), line("data: ")) {
                assert_eq!(
                    line("event: ").as_deref(),
                    Some("audit_event"),
                    "events have the type audit_event"
                );
                return Some((id, serde_json::from_str(&data).expect("the text is valid JSON")));
            }
        }
    }
}

const PATH: &str = "/v1/orgs/acme/audit-events/stream";

async fn events_arrive_once_and_in_order(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let mut following = Following::begin(&owner, PATH, None).await;
    let mut received_events = Vec::new();
    for n in 0..5 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("Acme {n}") })).await.expect(200);
        t.sequence().await;
        let (id, event) = following.event().await.expect("the new event arrives");
        assert_eq!(
            (event["metadata"]["name"]["new"].as_str(), event["log"]["index"].to_string()),
            (Some(format!("Acme {n}").as_str()), id.clone()),
            "the new event arrives with its index as id"
        );
        received_events.push((id, event["id"].clone()));
    }
    drop(following);
    // With `Last-Event-ID` of the second event, the stream resumes with the third, and includes
    // events that were recorded while disconnected.
    owner.patch("/v1/orgs/acme", json!({ "name": "While disconnected" })).await.expect(200);
    t.sequence().await;
    let mut resumed = Following::begin(&owner, PATH, Some(&received_events[1].0)).await;
    for (id, event) in &received_events[2..] {
        let (next, received) = resumed.event().await.expect("the event is sent again");
        assert_eq!((&next, &received["id"]), (id, event), "events resume in order");
    }
    assert_eq!(
        resumed.event().await.expect("the missed event arrives").1["metadata"]["name"]["new"],
        "While disconnected",
        "events recorded while disconnected are sent"
    );
    // Events of other orgs are not sent.
    t.sign_in("owner@globex.example")
        .await
        .patch("/v1/orgs/globex", json!({ "name": "Globex" }))
        .await
        .expect(200);
    owner.patch("/v1/orgs/acme", json!({ "name": "Next" })).await.expect(200);
    t.sequence().await;
    assert_eq!(
        resumed.event().await.expect("the next event arrives").1["metadata"]["name"]["new"],
        "Next",
        "only events of the org arrive"
    );
    // An index beyond the end of the log is invalid.
    for invalid in ["x", "-1", "18446744073709551615", "99999"] {
        let answer = owner.request("GET", PATH).header("last-event-id", invalid).send().await;
        postern_tests::Answer::of(answer).await.problem(400, "invalid_header");
    }
    let eng = t.sign_in("eng@postern.example").await;
    let mut platform = Following::begin(&eng, "/v1/admin/audit-events/stream", Some("0")).await;
    t.sequence().await;
    assert!(
        platform.event().await.expect("a platform event arrives").1["org"].is_null(),
        "the first event belongs to no org"
    );
    assert_eq!(t.recorded("audit.viewed").await, 1, "opening the platform stream is recorded");
}

async fn stream_ends_when_access_is_lost(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let mut following = Following::begin(&admin, PATH, None).await;
    let member = t.member_id("acme", "admin@acme.example").await;
    owner
        .patch(&format!("/v1/orgs/acme/members/{member}"), json!({ "role": "viewer" }))
        .await
        .expect(200);
    t.sequence().await;
    assert!(
        following.event().await.is_none(),
        "the stream ends without the event that removed access"
    );
    let mut following = Following::begin(&owner, PATH, None).await;
    owner.post("/v1/auth/logout", json!({})).await.expect(204);
    t.sequence().await;
    assert!(following.event().await.is_none(), "the stream ends with the session");
}

async fn idle_stream_sends_keep_alives(t: &App) {
    let server = App::start(t.backend, |config| config.server.heartbeat_seconds = 1).await;
    let owner = server.sign_in("owner@acme.example").await;
    let mut following = Following::begin(&owner, PATH, None).await;
    for _ in 0..2 {
        assert_eq!(
            following.block().await.as_deref(),
            Some(": keep-alive"),
            "a keep-alive comment is sent"
        );
    }
    drop(following);
    server.finish().await;
}

/// A large export of which only the first 12 bytes of the response are read. The receive buffer is
/// small, so the server has to wait for the client.
async fn begun(app: &App, owner: &Person<'_>) -> tokio::net::TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("the socket is created");
    socket.set_recv_buffer_size(4_096).expect("the buffer size is set");
    let mut connection = socket
        .connect(app.address.trim_start_matches("http://").parse().expect("the address is valid"))
        .await
        .expect("the connection opens");
    let token = owner.token.as_deref().expect("the caller is signed in");
    let headers = format!(
        "Host: x\r\nAuthorization: Bearer {token}\r\nAccept: text/csv\r\nConnection: close"
    );
    let request = format!("GET /v1/orgs/company-1/audit-events HTTP/1.1\r\n{headers}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("the request is sent");
    let mut head = [0; 12];
    connection.read_exact(&mut head).await.expect("the response starts");
    assert_eq!(&head, b"HTTP/1.1 200", "the export starts");
    connection
}

async fn export_outlasts_its_token_but_not_its_session(t: &App) {
    t.fill(postern_persistence::demo::Size { orgs: 1, members: 2, events: 30_000 }).await;
    let owner = t.sign_in("member-1@company-1.example").await;
    let mut connection = begun(t, &owner).await;
    t.clock.turn(chrono::TimeDelta::minutes(11));
    owner.get("/v1/me").await.problem(401, "token_expired");
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.expect("the body arrives");
    assert!(rest.ends_with(b"0\r\n\r\n"), "the export is complete after {} bytes", rest.len());
    let owner = t.sign_in("member-1@company-1.example").await;
    let mut connection = begun(t, &owner).await;
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
        ) = (1, 1)
    })
    .await;
    server.fill(postern_persistence::demo::Size { orgs: 1, members: 2, events: 30_000 }).await;
    let (owner, other) = (
        server.sign_in("member-1@company-1.example").await,
        server.sign_in("owner@acme.example").await,
    );
    let mut connection = begun(&server, &owner).await;
    let empty_export = "/v1/orgs/company-1/audit-events?to=2000-01-01T00:00:00Z";
    let mut changes = 0;
    while download(&owner, empty_export, "text/csv").await.status == 429 {
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

async fn concurrent_streams_are_limited(t: &App) {
    let server = App::start(t.backend, |config| {
        (config.server.max_concurrent_streams, config.server.max_concurrent_streams_per_user) =
            (1, 1)
    })
    .await;
    let owner = server.sign_in("owner@acme.example").await;
    let first = Following::begin(&owner, PATH, None).await;
    // The limit applies per user, per org and in total. Exports count as streams.
    owner.get(PATH).await.problem(429, "too_many_streams");
    download(&owner, "/v1/orgs/acme/audit-events", "text/csv")
        .await
        .problem(429, "too_many_streams");
    server.sign_in("admin@acme.example").await.get(PATH).await.problem(429, "too_many_streams");
    server
        .sign_in("owner@globex.example")
        .await
        .get("/v1/orgs/globex/audit-events?q=x")
        .await
        .problem(503, "unavailable");
    // Open streams do not block shutdown.
    let end = async {
        let mut first = first;
        while first.block().await.is_some() {}
    };
    futures_util::future::join(server.handle().stop(), end).await;
    server.finish().await;
}

/// A batch sequenced by one process notifies subscribers of another process through LISTEN /
/// NOTIFY.
async fn log_changes_notify_other_processes(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let (local, remote) = (
        std::sync::Arc::clone(&t.state.store),
        postern_persistence::Store::connect(&t.db.options()).await.expect("the database opens"),
    );
    let listener_store = local.separate_pool(&t.db.options()).await.expect("the database opens");
    let acme = postern_domain::id::OrgId::new(
        t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await,
    );
    let mut subscription = local.log_notify().subscribe(Some(acme));
    owner.patch("/v1/orgs/acme", json!({ "name": "Changed" })).await.expect(200);
    let listening = async {
        tokio::select! {
            ended = listener_store.listen() => panic!("{ended:?}"),
            () = subscription.changed() => {}
        }
    };
    let sequencing = async {
        // Repeats until the notification arrives: LISTEN may start after the first batch.
        loop {
            let mut sequencer =
                postern_persistence::sequencer::Sequencer::new(std::sync::Arc::clone(&remote));
            sequencer.run_batch(&t.context()).await.expect("the sequencer runs");
            owner
                .patch("/v1/orgs/acme", json!({ "name": t.state.new_request_id() }))
                .await
                .expect(200);
        }
    };
    tokio::select! {
        () = listening => {}
        () = sequencing => {}
    }
    assert!(t.backend != Backend::Sqlite, "the test runs on PostgreSQL only");
    remote.close().await;
    listener_store.close().await;
}
