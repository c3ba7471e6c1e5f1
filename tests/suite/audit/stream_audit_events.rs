//! Event streams: order, resumption, lost access and notification of other processes.

use std::sync::Arc;

use chrono::TimeDelta;
use postern_domain::id::OrgId;
use postern_persistence::{Store, sequencer::Sequencer};
use postern_tests::{App, Backend, Person, Response, on_all, tests_on};
use serde_json::json;

use super::event_stream::{ACME_STREAM, EventStream};

on_all![
    events_arrive_once_and_in_order,
    stream_resumes_after_last_event_id,
    stream_contains_no_events_of_other_orgs,
    invalid_last_event_id_is_rejected,
    platform_stream_is_recorded,
    stream_ends_when_access_is_lost,
    stream_ends_with_its_token,
    idle_stream_sends_keep_alives,
];

tests_on! { replicas, Postgres: log_changes_notify_other_processes }

async fn rename_acme(t: &App, owner: &Person<'_>, name: &str) {
    owner.patch("/v1/orgs/acme", json!({ "name": name })).await.expect(200);
    t.sequence().await;
}

async fn events_arrive_once_and_in_order(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let mut stream = EventStream::open(&owner, ACME_STREAM, None).await;
    for n in 0..5 {
        let name = format!("Acme {n}");
        rename_acme(t, &owner, &name).await;
        let (id, event) = stream.next_event().await.expect("the new event arrives");
        assert_eq!(
            (event["metadata"]["name"]["new"].as_str(), event["log"]["index"].to_string()),
            (Some(name.as_str()), id),
            "the new event arrives with its index as id"
        );
    }
}

/// With `Last-Event-ID` of the second event, the stream resumes with the third, and includes events
/// that were recorded while disconnected.
async fn stream_resumes_after_last_event_id(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let mut stream = EventStream::open(&owner, ACME_STREAM, None).await;
    let mut events = Vec::new();
    for n in 0..5 {
        rename_acme(t, &owner, &format!("Acme {n}")).await;
        let (id, event) = stream.next_event().await.expect("the new event arrives");
        events.push((id, event["id"].clone()));
    }
    drop(stream);
    rename_acme(t, &owner, "While disconnected").await;
    let mut resumed = EventStream::open(&owner, ACME_STREAM, Some(&events[1].0)).await;
    for (id, event) in &events[2..] {
        let (next_id, next) = resumed.next_event().await.expect("the event is sent again");
        assert_eq!((&next_id, &next["id"]), (id, event), "events resume in order");
    }
    assert_eq!(
        resumed.next_name().await,
        "While disconnected",
        "events recorded while disconnected are sent"
    );
}

async fn stream_contains_no_events_of_other_orgs(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let mut stream = EventStream::open(&owner, ACME_STREAM, None).await;
    let globex = t.sign_in("owner@globex.example").await;
    globex.patch("/v1/orgs/globex", json!({ "name": "Globex" })).await.expect(200);
    rename_acme(t, &owner, "Next").await;
    assert_eq!(stream.next_name().await, "Next", "only events of the org arrive");
}

async fn invalid_last_event_id_is_rejected(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    // The last one is beyond the end of the log.
    for invalid in ["x", "-1", "18446744073709551615", "99999"] {
        let response =
            owner.request("GET", ACME_STREAM).header("last-event-id", invalid).send().await;
        Response::of(response).await.problem(400, "invalid_header");
    }
}

async fn platform_stream_is_recorded(t: &App) {
    let eng = t.sign_in("eng@postern.example").await;
    t.sequence().await;
    let mut platform = EventStream::open(&eng, "/v1/admin/audit-events/stream", Some("0")).await;
    t.sequence().await;
    let (_, event) = platform.next_event().await.expect("a platform event arrives");
    assert!(event["org"].is_null(), "the first event belongs to no org");
    assert_eq!(t.recorded("audit.viewed").await, 1, "opening the platform stream is recorded");
}

async fn stream_ends_when_access_is_lost(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let mut stream = EventStream::open(&admin, ACME_STREAM, None).await;
    let member = t.member_id("acme", "admin@acme.example").await;
    owner
        .patch(&format!("/v1/orgs/acme/members/{member}"), json!({ "role": "viewer" }))
        .await
        .expect(200);
    t.sequence().await;
    assert!(
        stream.next_event().await.is_none(),
        "the stream ends without the event that removed access"
    );
    let mut stream = EventStream::open(&owner, ACME_STREAM, None).await;
    owner.post("/v1/auth/logout", json!({})).await.expect(204);
    t.sequence().await;
    assert!(stream.next_event().await.is_none(), "the stream ends with the session");
}

async fn stream_ends_with_its_token(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let mut stream = EventStream::open(&owner, ACME_STREAM, None).await;
    t.clock.advance(TimeDelta::minutes(10));
    let again = t.sign_in("owner@acme.example").await;
    rename_acme(t, &again, "After the expiry").await;
    assert!(stream.next_event().await.is_none(), "the stream ends with the access token");
}

async fn idle_stream_sends_keep_alives(t: &App) {
    let server = App::start(t.backend, |config| config.server.heartbeat_seconds = 1).await;
    let owner = server.sign_in("owner@acme.example").await;
    let mut stream = EventStream::open(&owner, ACME_STREAM, None).await;
    for _ in 0..2 {
        assert_eq!(
            stream.next_block().await.as_deref(),
            Some(": keep-alive"),
            "a keep-alive comment is sent"
        );
    }
    drop(stream);
    server.finish().await;
}

/// A batch sequenced by one process notifies subscribers of another process through LISTEN /
/// NOTIFY.
async fn log_changes_notify_other_processes(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    t.sequence().await;
    let (local, remote) = (
        Arc::clone(&t.state.store),
        Store::connect(&t.db.options()).await.expect("the database opens"),
    );
    let listener_store = local.separate_pool(&t.db.options()).await.expect("the database opens");
    let acme = OrgId::new(t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await);
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
            let mut sequencer = Sequencer::new(Arc::clone(&remote));
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
