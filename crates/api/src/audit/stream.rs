//! Events as they get their place in the log, as they happen (server-sent events, WHATWG HTML 9.2). Each has its number in the log for an id, so
//! that who was cut off goes on where they were. Nothing is kept for anybody: each reader asks the database for what comes next, and who reads
//! too slowly is cut off. Before each look the caller is admitted anew.

use std::{sync::Arc, time::Duration};

use actix_web::rt;
use postern_domain::{
    event::{Event, EventDraft},
    org::OrgRef,
};
use postern_persistence::log_notify::LogSubscription;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::{
    filter::OfOrg,
    source::{Source, viewed},
};
use crate::{
    http::{
        Call, Code, Download, EVENT_STREAM, FromInput, Input, Paused, Problem, Query, Room, Sink,
        single,
    },
    operations::op::{self, StreamAuditEvents, StreamPlatformAuditEvents},
    state::State,
};

/// So many events are read at a time.
const EVENTS: u64 = 100;
/// How long to wait for a notice before looking without one.
const PATIENCE: Duration = Duration::from_secs(5);

/// After which entry of the log to go on.
pub struct Resume(Option<u64>);

impl FromInput for Resume {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        let Some(last) = single(&input.request, "last-event-id")? else { return Ok(Self(None)) };
        let last = last.parse().ok().filter(|last: &u64| *last < u64::MAX);
        Ok(Self(Some(last.ok_or_else(|| {
            Problem::new(Code::InvalidHeader)
                .detail("Last-Event-ID takes an id as the stream gave it")
        })?)))
    }
}

/// Follow the record of an org.
///
/// Server-sent events (`EventSource` sends no `Authorization`: use `fetch`). The stream opens with `retry: 2000` and an `id` without data, which says
/// where you are. Each event comes when it has its place in the log: `id` is its number there (`log.index`), `event` is `audit_event`, `data` is the
/// event as JSON on one line (the schema `Event`). A comment comes every 15 seconds: after 30 without anything, connect again. Send the last `id` as
/// `Last-Event-ID` to go on behind it; without that the stream begins with what comes next. It ends with the access token at the latest: connect
/// again with a fresh one.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-events/stream", tag = "audit", impl_for = StreamAuditEvents,
    params(("Last-Event-ID" = Option<u64>, Header, description = "The last `id` that the stream gave: a number, not the `evt_…` of an event.")), responses(
    (status = 200, description = "The stream.", body = String, content_type = "text/event-stream"),
    (status = 429, description = "`too_many_open`: close one.")
))]
pub async fn stream_audit_events(
    call: Call<op::StreamAuditEvents>,
    resume: Resume,
) -> Result<Download, Problem> {
    let org = call.grant().context().org.reference();
    begin(call, Some(org), resume, None).await
}

/// Follow the record of an org, or of the platform, as staff.
///
/// As for an org's own people. That it was looked at is recorded once, when it begins.
#[utoipa::path(get, path = "/v1/admin/audit-events/stream", tag = "support", impl_for = StreamPlatformAuditEvents,
    params(OfOrg, ("Last-Event-ID" = Option<u64>, Header, description = "The last `id` that the stream gave: a number, not the `evt_…` of an event.")), responses(
    (status = 200, description = "The stream.", body = String, content_type = "text/event-stream"),
    (status = 404, description = "`not_found`: there is no such org."),
    (status = 429, description = "`too_many_open`: close one.")
))]
pub async fn stream_platform_audit_events(
    call: Call<op::StreamPlatformAuditEvents>,
    of: Query<OfOrg>,
    resume: Resume,
) -> Result<Download, Problem> {
    let org = match of.0.org {
        Some(id) => Some(call.accounts().org(id).await?.ok_or_else(Problem::not_found)?),
        None => None,
    };
    let draft = viewed(org.clone(), "followed", "the platform");
    begin(call, org, resume, Some(draft)).await
}

async fn begin<O: Source>(
    call: Call<O>,
    org: Option<OrgRef>,
    Resume(last): Resume,
    told: Option<EventDraft>,
) -> Result<Download, Problem> {
    let state = Arc::clone(call.shared());
    let room = call.room()?;
    // Before the first look, so that nothing falls between.
    let subscription = state.store.log_notify().subscribe(org.as_ref().map(|org| org.id));
    let head = O::log(&call, org.as_ref()).head().await?.size;
    let next = last.map_or(head, |last| last + 1);
    // Who has seen nothing yet may say 0, also of a log that is empty.
    if next > head.max(1) {
        return Err(Problem::new(Code::InvalidHeader)
            .detail(format!("Last-Event-ID is of another log: this one has {head} entries")));
    }
    let next = next.min(head);
    let paused = call.pause();
    match told {
        Some(draft) => call.record_in_own_tx(draft).await?,
        None => call.leave().await?,
    }
    let (sink, download) = Download::stream(EVENT_STREAM, state.server.slow_reader());
    rt::spawn(
        Stream { state, paused, org, next, subscription, sink, _room: room }
            .run()
            .in_current_span(),
    );
    Ok(download)
}

struct Stream<O> {
    state: Arc<State>,
    paused: Paused<O>,
    org: Option<OrgRef>,
    /// The entry that comes next.
    next: u64,
    subscription: LogSubscription,
    sink: Sink,
    _room: Room,
}

impl<O: Source> Stream<O> {
    /// Until nobody reads any more, or may.
    async fn run(mut self) {
        let heartbeat = self.state.server.heartbeat();
        let mut said = Instant::now();
        // Who is cut off before the first event goes on from here all the same (WHATWG HTML 9.2.6).
        let behind =
            self.next.checked_sub(1).map(|last| format!("id: {last}\n")).unwrap_or_default();
        let mut chunk = format!("retry: 2000\n{behind}\n").into_bytes();
        loop {
            if !chunk.is_empty() {
                said = Instant::now();
                if self.sink.send(chunk).await.is_err() {
                    return;
                }
            }
            if self.state.is_stopping() {
                return self.sink.finish();
            }
            let before = self.next;
            chunk = match self.look().await {
                Ok(events) => events.iter().flat_map(written).collect(),
                Err(problem) => {
                    tracing::info!(code = problem.code().name(), "a stream ended");
                    return self.sink.finish();
                }
            };
            // Entries whose time was over say nothing, and what is behind them is not to wait for that.
            if chunk.is_empty() && self.next == before {
                let patience = (said + heartbeat).min(Instant::now() + PATIENCE);
                tokio::select! {
                    () = self.sink.gone() => return,
                    _ = timeout_at(patience, self.subscription.changed()) => {}
                }
                if Instant::now() >= said + heartbeat {
                    chunk = b": still here\n\n".to_vec();
                }
            }
        }
    }

    /// What comes next, as somebody who may still see it.
    async fn look(&mut self) -> Result<Vec<Event>, Problem> {
        let call = self.paused.resume().await?;
        let leaves = O::log(&call, self.org.as_ref()).leaves(self.next, EVENTS).await?;
        let events =
            if leaves.is_empty() { Vec::new() } else { O::events(&call).at(&leaves).await? };
        call.leave().await?;
        if let Some(last) = leaves.last() {
            self.next = last.index + 1;
        }
        Ok(events)
    }
}

fn written(event: &Event) -> Vec<u8> {
    let id = event.log.as_ref().map(|log| log.index).unwrap_or_default();
    let json = serde_json::to_string(event).expect("what the domain shows can be written as JSON");
    format!("id: {id}\nevent: audit_event\ndata: {json}\n\n").into_bytes()
}
