//! Following a log as it grows.

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

/// A stream that is being read.
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
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let bytes = Box::pin(answer.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())));
        let mut following = Self { bytes, read: String::new() };
        // It says how soon to come again, which is when it listens.
        let first = following.block().await.expect("is said");
        assert!(first.starts_with("retry: 2000"), "{first}");
        following
    }

    /// The next block, without the empty line behind it. None at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                return Some(block);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.bytes.next())
                .await
                .expect("something is said in time")?;
            self.read += std::str::from_utf8(&chunk.ok()?).expect("UTF-8");
        }
    }

    /// The next event with its id.
    async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let block = self.block().await?;
            let line = |name: &str| {
                block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
            };
            if let (Some(id), Some(data)) = (line("id: "), line("data: ")) {
                assert_eq!(line("event: ").as_deref(), Some("audit_event"));
                return Some((id, serde_json::from_str(&data).expect("JSON")));
            }
        }
    }
}

const PATH: &str = "/v1/orgs/acme/audit-events/stream";

async fn events_arrive_once_and_in_order(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let mut following = Following::begin(&owner, PATH, None).await;
    let mut seen = Vec::new();
    for n in 0..5 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("Acme {n}") })).await.expect(200);
        t.sequence().await;
        let (id, event) = following.event().await.expect("is seen");
        assert_eq!(
            (event["metadata"]["name"]["new"].as_str(), event["log"]["index"].to_string()),
            (Some(format!("Acme {n}").as_str()), id.clone())
        );
        seen.push((id, event["id"].clone()));
    }
    drop(following);
    // Who was cut off after the second goes on with the third, and what came meanwhile comes as well.
    owner.patch("/v1/orgs/acme", json!({ "name": "Meanwhile" })).await.expect(200);
    t.sequence().await;
    let mut again = Following::begin(&owner, PATH, Some(&seen[1].0)).await;
    for (id, event) in &seen[2..] {
        let (next, found) = again.event().await.expect("is seen again");
        assert_eq!((&next, &found["id"]), (id, event));
    }
    assert_eq!(
        again.event().await.expect("came meanwhile").1["metadata"]["name"]["new"],
        "Meanwhile"
    );
    // Another's log says nothing here.
    t.sign_in("owner@globex.example")
        .await
        .patch("/v1/orgs/globex", json!({ "name": "Globex" }))
        .await
        .expect(200);
    owner.patch("/v1/orgs/acme", json!({ "name": "At last" })).await.expect(200);
    t.sequence().await;
    assert_eq!(again.event().await.expect("comes next").1["metadata"]["name"]["new"], "At last");
    // A number that the log has not come to is of another log.
    for bad in ["x", "-1", "18446744073709551615", "99999"] {
        let answer = owner.request("GET", PATH).header("last-event-id", bad).send().await;
        postern_tests::Answer::of(answer).await.problem(400, "invalid_header");
    }
    let eng = t.sign_in("eng@postern.example").await;
    let mut platform = Following::begin(&eng, "/v1/admin/audit-events/stream", Some("0")).await;
    t.sequence().await;
    assert!(platform.event().await.expect("the platform's own").1["org"].is_null());
    assert_eq!(t.recorded("audit.viewed").await, 1);
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
    assert!(following.event().await.is_none(), "the stream ends, and says nothing of it");
    let mut following = Following::begin(&owner, PATH, None).await;
    owner.post("/v1/auth/logout", json!({})).await.expect(204);
    t.sequence().await;
    assert!(following.event().await.is_none());
}

async fn idle_stream_sends_keep_alives(t: &App) {
    let still = App::start(t.backend, |config| config.server.heartbeat_seconds = 1).await;
    let owner = still.sign_in("owner@acme.example").await;
    let mut following = Following::begin(&owner, PATH, None).await;
    for _ in 0..2 {
        assert_eq!(following.block().await.as_deref(), Some(": still here"));
    }
    drop(following);
    still.finish().await;
}

/// A large file that has begun: its head is there, and the rest is not read.
async fn begun(app: &App, owner: &Person<'_>) -> tokio::net::TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("is set");
    let mut connection = socket
        .connect(app.address.trim_start_matches("http://").parse().expect("an address"))
        .await
        .expect("connects");
    let token = owner.token.as_deref().expect("a token");
    let headers = format!(
        "Host: x\r\nAuthorization: Bearer {token}\r\nAccept: text/csv\r\nConnection: close"
    );
    let request = format!("GET /v1/orgs/company-1/audit-events HTTP/1.1\r\n{headers}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("is sent");
    let mut head = [0; 12];
    connection.read_exact(&mut head).await.expect("answers");
    assert_eq!(&head, b"HTTP/1.1 200");
    connection
}

async fn export_outlasts_its_token_but_not_its_session(t: &App) {
    t.fill(postern_persistence::demo::Size { orgs: 1, members: 2, events: 30_000 }).await;
    let owner = t.sign_in("member-1@company-1.example").await;
    let mut connection = begun(t, &owner).await;
    t.clock.turn(chrono::TimeDelta::minutes(11));
    owner.get("/v1/me").await.problem(401, "token_expired");
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.expect("arrives");
    assert!(rest.ends_with(b"0\r\n\r\n"), "whole, of {} bytes", rest.len());
    let owner = t.sign_in("member-1@company-1.example").await;
    let mut connection = begun(t, &owner).await;
    owner.post("/v1/auth/logout", json!({})).await.expect(204);
    rest.clear();
    connection.read_to_end(&mut rest).await.unwrap_or_default();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "cut off, and not whole after {} bytes", rest.len());
}

/// Who does not read is cut off, and holds nobody up meanwhile.
async fn slow_reader_is_disconnected(t: &App) {
    let strict = App::start(t.backend, |config| {
        (config.server.slow_reader_seconds, config.server.open_answers_each) = (1, 1)
    })
    .await;
    strict.fill(postern_persistence::demo::Size { orgs: 1, members: 2, events: 30_000 }).await;
    let (owner, other) = (
        strict.sign_in("member-1@company-1.example").await,
        strict.sign_in("owner@acme.example").await,
    );
    let mut connection = begun(&strict, &owner).await;
    let small = "/v1/orgs/company-1/audit-events?to=2000-01-01T00:00:00Z";
    let mut changes = 0;
    while download(&owner, small, "text/csv").await.status == 429 {
        other
            .patch("/v1/orgs/acme", json!({ "name": format!("Acme {changes}") }))
            .await
            .expect(200);
        changes += 1;
        assert!(changes < 5_000, "nobody is cut off");
    }
    // Whoever reads on has what was on its way, and no end that would make a whole of it.
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.unwrap_or_default();
    assert!(changes > 0 && !rest.ends_with(b"0\r\n\r\n"), "{changes}, {}", rest.len());
    strict.finish().await;
}

async fn concurrent_streams_are_limited(t: &App) {
    let small = App::start(t.backend, |config| {
        (config.server.open_answers, config.server.open_answers_each) = (1, 1)
    })
    .await;
    let owner = small.sign_in("owner@acme.example").await;
    let first = Following::begin(&owner, PATH, None).await;
    // One person may have so many, and one org, and a file counts as well; for others there is no room left.
    owner.get(PATH).await.problem(429, "too_many_open");
    download(&owner, "/v1/orgs/acme/audit-events", "text/csv").await.problem(429, "too_many_open");
    small.sign_in("admin@acme.example").await.get(PATH).await.problem(429, "too_many_open");
    small
        .sign_in("owner@globex.example")
        .await
        .get("/v1/orgs/globex/audit-events?q=x")
        .await
        .problem(503, "unavailable");
    // Streams do not keep the server from stopping.
    let end = async {
        let mut first = first;
        while first.block().await.is_some() {}
    };
    futures_util::future::join(small.handle().stop(), end).await;
    small.finish().await;
}

/// What one process pumps, those who follow the log through another see: by a notice of the database, not by looking again.
async fn log_changes_notify_other_processes(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let (heard, other) = (
        std::sync::Arc::clone(&t.state.store),
        postern_persistence::Store::connect(&t.db.options()).await.expect("opens"),
    );
    let separate = heard.separate_pool(&t.db.options()).await.expect("opens");
    let acme = postern_domain::id::OrgId::new(
        t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await,
    );
    let mut subscription = heard.log_notify().subscribe(Some(acme));
    owner.patch("/v1/orgs/acme", json!({ "name": "Heard" })).await.expect(200);
    let listening = async {
        tokio::select! {
            ended = separate.listen() => panic!("{ended:?}"),
            () = subscription.changed() => {}
        }
    };
    let pumping = async {
        // Until it is heard: whoever listens may not have begun.
        loop {
            let mut sequencer =
                postern_persistence::sequencer::Sequencer::new(std::sync::Arc::clone(&other));
            sequencer.run_batch(&t.context()).await.expect("works");
            owner
                .patch("/v1/orgs/acme", json!({ "name": t.state.new_request_id() }))
                .await
                .expect(200);
        }
    };
    tokio::select! {
        () = listening => {}
        () = pumping => {}
    }
    assert!(t.backend != Backend::Sqlite);
    other.close().await;
    separate.close().await;
}
