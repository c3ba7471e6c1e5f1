//! Export of a log that can be verified offline: its events, and the hashes that account for every
//! entry that is not among them. The export is generated while it is sent, [`EVENTS`] events at a
//! time. The caller is authorized again for each batch.

use std::time::{Duration, Instant};

use actix_web::rt;
use postern_audit_log::export::{End, Trailer};
use postern_domain::{access, org_ref::OrgRef, permission::Permission, policy::Denial};
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
    gap_lines::{BY_ENTRY, GapLines},
    leaf_set::LeafSet,
    log_reader::LogReader,
};
use crate::http::{
    Call, Code, Disconnected, Download, Format, Permit, Problem, Reentrant, StreamWriter,
};

/// Number of events per batch.
const EVENTS: u64 = 500;
/// Maximum number of gaps per batch. A batch also ends once its gaps cover [`BY_ENTRY`] entries.
const GAPS: usize = 64;
/// Maximum duration of an export.
const MAX_DURATION: Duration = Duration::from_hours(6);
/// Approximate number of earlier checkpoints in the `end` line.
const HISTORY: u64 = 500;

/// Export request: a log, a filter and a format.
pub struct ExportRequest {
    /// Org of the log; `None` for the platform's log.
    pub org: Option<OrgRef>,
    pub query: EventsQuery,
    pub format: Format,
}

/// Records the export in the audit log, then starts it in the background. Fails with
/// `impersonation_blocked` under impersonation.
pub async fn start<O: LogReader>(
    call: Call<O>,
    request: ExportRequest,
) -> Result<Download, Problem> {
    let actor = call.grant().actor();
    if actor.caller().is_some_and(|caller| caller.impersonation().is_some()) {
        return Err(Denial::Blocked.into());
    }
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
    let (stream, download) = Download::stream(request.format.media_type(), timeout);
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
    Ok(download.named(file_name))
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

    /// Authorizes the call again. Fails if the export has taken longer than [`MAX_DURATION`], or if
    /// the caller may no longer read all requested events.
    async fn reenter(&self) -> Result<Call<O>, ExportError> {
        if self.begun.elapsed() > MAX_DURATION {
            return Err(Problem::new(Code::TokenExpired).into());
        }
        let call = self.reentrant.reenter().await?;
        if O::sees_all(&call) {
            Ok(call)
        } else {
            Err(Problem::from(Denial::Forbidden(Permission::PlatformAuditReadAll)).into())
        }
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
