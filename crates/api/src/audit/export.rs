//! Export of a log that can be verified offline: its events, and the hashes that account for every
//! entry that is not among them. The export is generated while it is sent, [`EVENTS`] events at a
//! time. The caller is authorized again for each batch.

use std::time::{Duration, Instant};

use actix_web::{HttpResponse, rt};
use postern_audit_log::export::{End, Trailer};
use postern_domain::{access, org_ref::OrgRef};
use postern_persistence::{
    StoreError,
    repository::{
        event_filter::{EventFilter, LogScope},
        log::{Head, Log},
    },
};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    csv::ExportEncoder,
    filter::EventsQuery,
    format::{Format, FormatQuery},
    gap_lines::{BY_ENTRY, GapLines},
    leaf_set::LeafSet,
    log_reader::LogReader,
};
use crate::{
    http::{
        Call, Code, Disconnected, Download, FromInput, Input, OrgFilter, Permit, Problem, Query,
        Reentrant, Respond, StreamWriter,
    },
    operations::op::{self, ExportAuditEvents, ExportPlatformAuditEvents},
};

/// Number of events per batch.
const EVENTS: u64 = 500;
/// Maximum number of gaps per batch. A batch also ends once its gaps cover [`BY_ENTRY`] entries.
const GAPS: usize = 64;
/// Maximum duration of an export.
const MAX_DURATION: Duration = Duration::from_hours(6);
/// Approximate number of earlier checkpoints in the `end` line.
const HISTORY: u64 = 500;

/// Export audit events of an org.
///
/// Returns all matching events in one file, oldest first. The export is recorded in the log before
/// it starts.
///
/// An NDJSON file contains the data needed for offline verification. Each line with an `id` is an
/// event with its `opening` (schema `VerifiableEvent`). Each line after the events has one member.
/// `leaf` (hash of an entry), `node` (hash of several entries) and `lost` (entries without a hash)
/// describe the entries of events that are not in the file. `end` is the last line, with the origin
/// of the log, the number of events, the filter, a checkpoint and earlier checkpoints. A file
/// without an `end` line is incomplete.
///
/// CSV files follow RFC 4180 (with a header; `metadata` is JSON). They are UTF-8 with a byte order
/// mark, so that Excel opens them correctly. The last row has `checkpoint` in the first column and
/// the checkpoint in the second. Cells are quoted. Text that a spreadsheet could run as a formula
/// has an apostrophe before it: at the beginning of a cell, and after `;`, `|` and tabs in it.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/audit-events/export", tag = "audit", impl_for = ExportAuditEvents,
    responses(
    (status = 200, description = "The file.", content(
        (String = "application/x-ndjson"), (String = "text/csv")
    )),
    (status = 429, description = "`too_many_streams`: too many open streams, exports and text \
        searches. Close one, or retry after one has ended.")
))]
pub async fn export_audit_events(
    call: Call<op::ExportAuditEvents>,
    format: Query<FormatQuery>,
    query: Query<EventsQuery>,
) -> Result<ExportFile, Problem> {
    let org = call.grant().context().org.reference();
    start(call, ExportRequest { org: Some(org), query: query.0, format: format.0.format }).await
}

/// Export audit events of an org or the platform as staff.
///
/// Exports the log of `org` or, without `org`, the platform log (events that belong to no org), in
/// the format described at `export_audit_events`. The export is recorded in that log before it
/// starts.
#[utoipa::path(
    get, path = "/v1/admin/audit-events/export", tag = "audit",
    impl_for = ExportPlatformAuditEvents, responses(
    (status = 200, description = "The file.", content(
        (String = "application/x-ndjson"), (String = "text/csv")
    )),
    (status = 404, description = "`not_found`: the org does not exist."),
    (status = 429, description = "`too_many_streams`: too many open streams, exports and text \
        searches. Close one, or retry after one has ended.")
))]
pub async fn export_platform_audit_events(
    call: Call<op::ExportPlatformAuditEvents>,
    org_filter: Query<OrgFilter>,
    format: Query<FormatQuery>,
    query: Query<EventsQuery>,
) -> Result<ExportFile, Problem> {
    let org = match &org_filter.0.org {
        Some(org) => Some(call.accounts().org(org).await?.ok_or_else(Problem::not_found)?),
        None => None,
    };
    start(call, ExportRequest { org, query: query.0, format: format.0.format }).await
}

/// An export as a response.
pub struct ExportFile(Download);

impl Respond for ExportFile {
    fn media_type(input: &Input) -> Option<&'static str> {
        let format = Query::<FormatQuery>::from_input(input).ok()?.0.format;
        Some(format.content_type())
    }

    fn respond(self, replayed: bool) -> HttpResponse {
        self.0.respond(replayed)
    }
}

/// Export request: a log, a filter and a format.
struct ExportRequest {
    /// Org of the log; `None` for the platform's log.
    org: Option<OrgRef>,
    query: EventsQuery,
    format: Format,
}

/// Records the export in the audit log, then starts it in the background.
async fn start<O: LogReader>(call: Call<O>, request: ExportRequest) -> Result<ExportFile, Problem> {
    let permit = call.acquire_permit()?;
    let log = O::log(&call, request.org.as_ref());
    let (origin, head) = (log.origin()?, log.head().await?);
    let timeout = call.state().server.stream_write_timeout();
    let (reentrant, name) = (
        call.reenter_after_token_expiry(),
        request.org.as_ref().map_or("platform", |org| &org.slug).to_owned(),
    );
    let (org, format) = (request.org.clone(), request.format.name());
    let draft = access::log_exported(org, &origin, format, &request.query, head.size);
    call.record_in_own_tx(draft).await?;
    let (stream, download) = Download::stream(request.format.content_type(), timeout);
    let file_name = format!("audit-{name}.{}", request.format.name());
    let writing = async move {
        let export =
            Export { reentrant, request, origin, head, begun: Instant::now(), _permit: permit };
        match export.write(&stream).await {
            Ok(()) => stream.finish(),
            Err(ExportError::Disconnected) => tracing::info!("export aborted: client disconnected"),
            Err(ExportError::Failed(problem)) => {
                tracing::warn!(code = problem.code().name(), "export aborted");
            }
        }
    };
    rt::spawn(writing.in_current_span());
    Ok(ExportFile(download.named(file_name)))
}

/// Reason that an export ends early.
enum ExportError {
    /// The client disconnected, or reads too slowly.
    Disconnected,
    Failed(Problem),
}

impl From<Disconnected> for ExportError {
    fn from(_: Disconnected) -> Self {
        Self::Disconnected
    }
}

impl From<Problem> for ExportError {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

struct Export<O> {
    reentrant: Reentrant<O>,
    request: ExportRequest,
    origin: String,
    /// Tree that the export is verified against. Events added later are exported, but not covered
    /// by it.
    head: Head,
    begun: Instant,
    _permit: Permit,
}

impl<O: LogReader> Export<O> {
    async fn write(&self, stream: &StreamWriter) -> Result<(), ExportError> {
        let mut encoder = ExportEncoder::new(self.request.format);
        let mut exported = LeafSet::new(self.head.size);
        let events = self.write_events(stream, &mut encoder, &mut exported).await?;
        // CSV does not list the gaps.
        if self.request.format != Format::Csv {
            self.write_gaps(stream, &mut encoder, &exported).await?;
        }
        let call = self.reenter().await?;
        encoder.trailer(&self.end(&O::log(&call, self.request.org.as_ref()), events).await?);
        call.release().await?;
        Ok(stream.send(encoder.take()).await?)
    }

    /// Writes the events, and returns their number.
    async fn write_events(
        &self,
        stream: &StreamWriter,
        encoder: &mut ExportEncoder,
        exported: &mut LeafSet,
    ) -> Result<u64, ExportError> {
        let log = self.request.org.as_ref().map_or(LogScope::Platform, |org| LogScope::Org(org.id));
        let filter = EventFilter { log, ..self.request.query.clone().into() };
        let mut events = 0;
        let mut next = Some(Uuid::nil());
        // Without an upper bound: an event with an id in the future, which no server generates, is
        // exported too.
        while let Some(after) = next {
            let call = self.reenter().await?;
            let (page, last) = O::events(&call).verifiable_events(&filter, after, EVENTS).await?;
            call.release().await?;
            next = last;
            events += page.len() as u64;
            for event in &page {
                exported.insert(event);
                encoder.event(event);
            }
            stream.send(encoder.take()).await?;
        }
        Ok(events)
    }

    /// Writes the lines for the entries that are not in the export.
    async fn write_gaps(
        &self,
        stream: &StreamWriter,
        encoder: &mut ExportEncoder,
        exported: &LeafSet,
    ) -> Result<(), ExportError> {
        let lines = GapLines { size: self.head.size, by_entry: self.request.query.is_empty() };
        let mut index = 0;
        loop {
            let mut covered = 0;
            let gaps = exported.gaps_from(index).take(GAPS).take_while(|(from, to)| {
                let before = covered;
                covered += (to - from).min(BY_ENTRY);
                before < BY_ENTRY
            });
            let gaps: Vec<(u64, u64)> = gaps.collect();
            let Some((_, end)) = gaps.last() else { return Ok(()) };
            index = *end;
            let call = self.reenter().await?;
            for trailer in lines.lines(&O::log(&call, self.request.org.as_ref()), &gaps).await? {
                encoder.trailer(&trailer);
            }
            call.release().await?;
            stream.send(encoder.take()).await?;
        }
    }

    /// Authorizes the call again. Fails if the export has taken longer than [`MAX_DURATION`].
    async fn reenter(&self) -> Result<Call<O>, ExportError> {
        if self.begun.elapsed() > MAX_DURATION {
            return Err(Problem::new(Code::TokenExpired).into());
        }
        Ok(self.reentrant.reenter().await?)
    }

    /// The last line, with everything that the export is verified against.
    async fn end(&self, log: &Log<'_>, events: u64) -> Result<Trailer, StoreError> {
        let filter = (!self.request.query.is_empty())
            .then(|| serde_json::to_value(&self.request.query).unwrap_or_default());
        let history = log.history(self.head.size, HISTORY).await?;
        let (origin, checkpoint) = (self.origin.clone(), self.head.note.clone());
        Ok(Trailer::End(End { origin, events, filter, checkpoint, history }))
    }
}
