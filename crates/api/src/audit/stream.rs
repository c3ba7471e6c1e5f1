//! Live stream of audit events (server-sent events, WHATWG HTML 9.2). The `id` of an event is its
//! index in the log, so that a client can resume after the last event that it received. Events are
//! not buffered for clients: each stream queries the database for the next ones, and is aborted if
//! the client reads too slowly. The caller is authorized again before each query.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpResponse, rt};
use postern_domain::{
    access::{self, AccessedLogs, LogAccess},
    event::Event,
    event_draft::EventDraft,
    org_ref::OrgRef,
};
use postern_persistence::log_notify::LogSubscription;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use utoipa::openapi::{KnownFormat, ObjectBuilder, SchemaFormat, Type, path::Parameter};

use super::log_reader::LogReader;
use crate::{
    http::{
        Call, Code, Download, EVENT_STREAM, FromInput, Input, OrgFilter, Permit, Problem, Query,
        Reentrant, Respond, StreamWriter, request_headers, single,
    },
    operations::op::{self, StreamAuditEvents, StreamPlatformAuditEvents},
    state::State,
};

/// Number of events per query.
const EVENTS: u64 = 100;
/// Longest time to wait for a notification before querying without one.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Index of the log entry after which the stream resumes.
pub struct Resume(Option<u64>);

impl FromInput for Resume {
    const PROBLEMS: &'static [Code] = &[Code::InvalidHeader];

    fn parameters() -> Vec<Parameter> {
        let description = "Last `id` received from the stream: an index in the log, not an event \
                           ID (`evt_…`).";
        let schema = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0))
            .build();
        vec![request_headers::parameter("Last-Event-ID", description, schema)]
    }

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let Some(last) = single(&input.request, "last-event-id")? else { return Ok(Self(None)) };
        let last = last.parse().ok().filter(|last: &u64| *last < u64::MAX);
        Ok(Self(Some(last.ok_or_else(|| {
            Problem::new(Code::InvalidHeader)
                .detail("Last-Event-ID must be an id sent by the stream")
        })?)))
    }
}

/// Stream audit events of an org.
///
/// Server-sent events. `EventSource` cannot send `Authorization`: use `fetch`. The stream starts
/// with `retry: 2000` and an `id` without data, which is the current position. Events are sent once
/// they are in the log: `id` is the index in the log (`log.index`), `event` is `audit_event`, and
/// `data` is the event as JSON on one line (schema `Event`). A keep-alive comment is sent every
/// 15 s; reconnect after 30 s of silence.
///
/// To resume after an event, send its `id` as `Last-Event-ID`. Otherwise the stream starts with the
/// next new event. The stream ends when the access token expires: reconnect with a new one.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/audit-events/stream", tag = "audit", impl_for = StreamAuditEvents,
    responses(
    (status = 200, description = "The stream.", body = String, content_type = "text/event-stream"),
    (status = 429, description = "`too_many_streams`: too many open streams, exports and text \
        searches. Close one, or retry after one has ended.")
))]
pub async fn stream_audit_events(
    call: Call<op::StreamAuditEvents>,
    resume: Resume,
) -> Result<EventStream, Problem> {
    let org = call.grant().context().org.reference();
    begin(call, Some(org), resume, None).await
}

/// Stream audit events of an org or the platform as staff.
///
/// Streams the log of `org` or, without `org`, the platform log, in the format described at
/// `stream_audit_events`. The start of each stream is audited.
#[utoipa::path(
    get, path = "/v1/admin/audit-events/stream", tag = "audit",
    impl_for = StreamPlatformAuditEvents, responses(
    (status = 200, description = "The stream.", body = String, content_type = "text/event-stream"),
    (status = 404, description = "`not_found`: the org does not exist."),
    (status = 429, description = "`too_many_streams`: too many open streams, exports and text \
        searches. Close one, or retry after one has ended.")
))]
pub async fn stream_platform_audit_events(
    call: Call<op::StreamPlatformAuditEvents>,
    org_filter: Query<OrgFilter>,
    resume: Resume,
) -> Result<EventStream, Problem> {
    let org = match &org_filter.0.org {
        Some(org) => Some(call.accounts().org(org).await?.ok_or_else(Problem::not_found)?),
        None => None,
    };
    let logs = org.clone().map_or(AccessedLogs::Platform, AccessedLogs::Org);
    let draft = access::log_viewed(logs, LogAccess::Streamed, None::<()>);
    begin(call, org, resume, Some(draft)).await
}

/// A stream as a response.
pub struct EventStream(Download);

impl Respond for EventStream {
    fn media_type(_: &Input) -> Option<&'static str> {
        Some(EVENT_STREAM)
    }

    fn respond(self, replayed: bool) -> HttpResponse {
        self.0.respond(replayed)
    }
}

async fn begin<O: LogReader>(
    call: Call<O>,
    org: Option<OrgRef>,
    Resume(last): Resume,
    draft: Option<EventDraft>,
) -> Result<EventStream, Problem> {
    let state = Arc::clone(call.shared());
    let permit = call.acquire_permit()?;
    // Subscribe before reading the head, so that no notification is missed.
    let subscription = state.store.log_notify().subscribe(org.as_ref().map(|org| org.id));
    let head = O::log(&call, org.as_ref()).head().await?.size;
    let next = last.map_or(head, |last| last + 1);
    // 0 is also accepted for an empty log.
    if next > head.max(1) {
        return Err(Problem::new(Code::InvalidHeader)
            .detail(format!("Last-Event-ID is not in this log, which has {head} entries")));
    }
    let next = next.min(head);
    let reentrant = call.reentrant();
    match draft {
        Some(draft) => call.record_in_own_tx(draft).await?,
        None => call.release().await?,
    }
    let (writer, download) = Download::stream(EVENT_STREAM, state.server.stream_write_timeout());
    rt::spawn(
        Stream { state, reentrant, org, next, subscription, writer, _permit: permit }
            .run()
            .in_current_span(),
    );
    Ok(EventStream(download))
}

struct Stream<O> {
    state: Arc<State>,
    reentrant: Reentrant<O>,
    org: Option<OrgRef>,
    /// Index of the next entry to send.
    next: u64,
    subscription: LogSubscription,
    writer: StreamWriter,
    _permit: Permit,
}

impl<O: LogReader> Stream<O> {
    /// Runs until the client disconnects or loses access, or the server stops.
    async fn run(mut self) {
        let heartbeat = self.state.server.heartbeat();
        let mut last_sent = Instant::now();
        // A client that disconnects before the first event resumes from here (WHATWG HTML 9.2.6).
        let position =
            self.next.checked_sub(1).map(|last| format!("id: {last}\n")).unwrap_or_default();
        let mut chunk = format!("retry: 2000\n{position}\n").into_bytes();
        loop {
            if !chunk.is_empty() {
                last_sent = Instant::now();
                if self.writer.send(chunk).await.is_err() {
                    return;
                }
            }
            if self.state.is_stopping() {
                return self.writer.finish();
            }
            let before = self.next;
            chunk = match self.read_events().await {
                Ok(events) => events.iter().flat_map(encode).collect(),
                Err(problem) => {
                    tracing::info!(code = problem.code().name(), "audit stream ended");
                    return self.writer.finish();
                }
            };
            // Entries removed by retention give no events: continue with the entries after them at
            // once.
            if chunk.is_empty() && self.next == before {
                let deadline = (last_sent + heartbeat).min(Instant::now() + MAX_WAIT);
                tokio::select! {
                    () = self.writer.disconnected() => return,
                    _ = timeout_at(deadline, self.subscription.changed()) => {}
                }
                if Instant::now() >= last_sent + heartbeat {
                    chunk = b": keep-alive\n\n".to_vec();
                }
            }
        }
    }

    /// Reads the next events, after authorizing the caller again.
    async fn read_events(&mut self) -> Result<Vec<Event>, Problem> {
        let call = self.reentrant.reenter().await?;
        let leaves = O::log(&call, self.org.as_ref()).leaves(self.next, EVENTS).await?;
        let events =
            if leaves.is_empty() { Vec::new() } else { O::events(&call).at(&leaves).await? };
        call.release().await?;
        if let Some(last) = leaves.last() {
            self.next = last.index + 1;
        }
        Ok(events)
    }
}

fn encode(event: &Event) -> Vec<u8> {
    let id = event.log.as_ref().map(|log| log.index).unwrap_or_default();
    let json = serde_json::to_string(event).expect("events serialize to JSON");
    format!("id: {id}\nevent: audit_event\ndata: {json}\n\n").into_bytes()
}
