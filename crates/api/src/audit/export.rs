//! Export of a log that can be verified offline: its events, and the hashes that account for every
//! entry that is not among them. The export is generated while it is sent, [`EVENTS`] events at a
//! time. The caller is authorized again for each batch.

use std::time::{Duration, Instant};

use actix_web::rt;
use postern_domain::{
    action::Action,
    event::{EventDraft, Target, TargetType, VerifiableEvent},
    export::{End, Trailer},
    id::EventId,
    org::OrgRef,
    permission::Permission,
    policy::Denial,
};
use postern_persistence::{
    StoreError,
    repository::{
        event_filter::{EventFilter, LogScope},
        log::{Head, Log},
    },
};
use tracing::Instrument;
use uuid::Uuid;

use super::{csv::Table, filter::EventsQuery, source::Source};
use crate::http::{
    Call, Code, Disconnected, Download, EnterScope, Format, Permit, Problem, Reentrant,
    StreamWriter,
};

/// Number of events per batch.
const EVENTS: u64 = 500;
/// Maximum number of gaps per batch. A batch also ends once its gaps cover [`ONE_BY_ONE`] entries.
const GAPS: usize = 64;
/// Longest gap of an unfiltered export that is listed entry by entry, with event ids. Other gaps
/// are covered by subtree hashes.
const ONE_BY_ONE: u64 = 1_000;
/// Maximum duration of an export.
const LONGEST: Duration = Duration::from_hours(6);
/// Approximate number of earlier checkpoints in the `end` line.
const HISTORY: u64 = 500;

/// Export request: a log, a filter and a format.
pub struct Asked {
    /// Org of the log; `None` for the platform's log.
    pub org: Option<OrgRef>,
    pub query: EventsQuery,
    pub format: Format,
}

/// Records the export in the audit log, then starts it in the background. Fails with
/// `impersonation_blocked` under impersonation.
pub async fn start<O: Source>(call: Call<O>, asked: Asked) -> Result<Download, Problem> {
    if O::Scope::who(call.held()).is_some_and(|(actor, _)| {
        actor.caller().is_some_and(|caller| caller.impersonation().is_some())
    }) {
        return Err(Denial::Blocked.into());
    }
    let permit = call.acquire_permit()?;
    let log = O::log(&call, asked.org.as_ref());
    let (origin, head) = (log.origin()?, log.head().await?);
    let timeout = call.state().server.slow_reader();
    let (paused, name) = (
        call.reenter_after_token_expiry(),
        asked.org.as_ref().map_or("platform", |org| &org.slug).to_owned(),
    );
    call.record_in_own_tx(exported(&asked, &origin, head.size)).await?;
    let (sink, download) = Download::stream(asked.format.media_type(), timeout);
    let file_name = format!("audit-{name}.{}", asked.format.name());
    let writing = async move {
        let export = Export { paused, asked, origin, head, begun: Instant::now(), _permit: permit };
        match export.write(&sink).await {
            Ok(()) => sink.finish(),
            Err(Ended::Disconnected) => tracing::info!("export aborted: client disconnected"),
            Err(Ended::Failed(problem)) => {
                tracing::warn!(code = problem.code().name(), "export aborted")
            }
        }
    };
    rt::spawn(writing.in_current_span());
    Ok(download.named(file_name))
}

fn exported(asked: &Asked, origin: &str, size: u64) -> EventDraft {
    let target = Target {
        kind: TargetType::Log,
        id: asked.org.as_ref().map(|org| org.id.to_string()),
        label: origin.to_owned(),
    };
    EventDraft::new(
        Action::AuditExported,
        target,
        format!("exported the audit log {origin} as {}", asked.format.name()),
    )
    .with_metadata("format", asked.format.name())
    .with_metadata("filter", &asked.query)
    .with_metadata("entries", size)
    .in_org_log(asked.org.clone())
}

/// Reason that an export ends early.
enum Ended {
    /// The client disconnected, or reads too slowly.
    Disconnected,
    Failed(Problem),
}

impl From<Disconnected> for Ended {
    fn from(_: Disconnected) -> Self {
        Self::Disconnected
    }
}

impl From<Problem> for Ended {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

struct Export<O> {
    paused: Reentrant<O>,
    asked: Asked,
    origin: String,
    /// Tree that the export is verified against. Events added later are exported, but not covered
    /// by it.
    head: Head,
    begun: Instant,
    _permit: Permit,
}

impl<O: Source> Export<O> {
    async fn write(&self, sink: &StreamWriter) -> Result<(), Ended> {
        let log = self.asked.org.as_ref().map_or(LogScope::Platform, |org| LogScope::Org(org.id));
        let filter = EventFilter { log, ..self.asked.query.clone().into() };
        let mut table = Table::new(self.asked.format);
        let (mut events, mut positions) = (0, Places::new(self.head.size));
        let mut next = Some(Uuid::nil());
        // Without an upper bound: an event with an id in the future, which no server generates, is
        // exported too.
        while let Some(after) = next {
            let call = self.admitted().await?;
            let (page, last) = O::events(&call).exhibits(&filter, after, EVENTS).await?;
            call.release().await?;
            next = last;
            events += page.len() as u64;
            for event in &page {
                positions.note(event);
                table.event(event);
            }
            sink.send(table.take()).await?;
        }
        // CSV does not list the gaps.
        let mut index = if self.asked.format == Format::Csv { self.head.size } else { 0 };
        loop {
            let mut lines = 0;
            let gaps = positions.gaps_from(index).take(GAPS).take_while(|(from, to)| {
                let before = lines;
                lines += (to - from).min(ONE_BY_ONE);
                before < ONE_BY_ONE
            });
            let gaps: Vec<(u64, u64)> = gaps.collect();
            let Some((_, end)) = gaps.last() else { break };
            index = *end;
            let call = self.admitted().await?;
            for trailer in self.account(&O::log(&call, self.asked.org.as_ref()), &gaps).await? {
                table.trailer(&trailer);
            }
            call.release().await?;
            sink.send(table.take()).await?;
        }
        let call = self.admitted().await?;
        table.trailer(&self.end(&O::log(&call, self.asked.org.as_ref()), events).await?);
        call.release().await?;
        Ok(sink.send(table.take()).await?)
    }

    /// Resumes the call. Fails if the export has taken longer than [`LONGEST`], or if the caller
    /// may no longer read all requested events.
    async fn admitted(&self) -> Result<Call<O>, Ended> {
        if self.begun.elapsed() > LONGEST {
            return Err(Problem::new(Code::TokenExpired).into());
        }
        let call = self.paused.reenter().await?;
        if O::sees_all(&call) {
            Ok(call)
        } else {
            Err(Problem::from(Denial::Forbidden(Permission::PlatformAuditReadAll)).into())
        }
    }

    /// Lines for the entries that are not in the export, from which a verifier rebuilds the tree.
    async fn account(
        &self,
        log: &Log<'_>,
        gaps: &[(u64, u64)],
    ) -> Result<Vec<Trailer>, StoreError> {
        let is_short =
            |(from, to): &(u64, u64)| self.asked.query.is_empty() && to - from <= ONE_BY_ONE;
        let covered: Vec<(u64, u64)> = gaps.iter().copied().filter(|gap| !is_short(gap)).collect();
        let mut covers = log.covers(&covered, self.head.size).await?.into_iter();
        let mut trailers = Vec::new();
        for &(from, to) in gaps {
            if is_short(&(from, to)) {
                trailers.extend(one_by_one(log, from, to).await?);
                continue;
            }
            match covers.next().flatten() {
                Some(nodes) => {
                    trailers.extend(nodes.into_iter().map(|(level, index, hash)| Trailer::Node {
                        level,
                        index,
                        hash: hash.to_base64(),
                    }));
                }
                None => trailers.push(Trailer::Lost { from, to }),
            }
        }
        Ok(trailers)
    }

    /// The last line, with everything that the export is verified against.
    async fn end(&self, log: &Log<'_>, events: u64) -> Result<Trailer, StoreError> {
        let filter = (!self.asked.query.is_empty())
            .then(|| serde_json::to_value(&self.asked.query).unwrap_or_default());
        let history = log.history(self.head.size, HISTORY).await?;
        let (origin, checkpoint) = (self.origin.clone(), self.head.note.clone());
        Ok(Trailer::End(End { origin, events, filter, checkpoint, history }))
    }
}

/// Lines for the entries `from..to`, one for each entry, with the ids of their events.
async fn one_by_one(log: &Log<'_>, from: u64, to: u64) -> Result<Vec<Trailer>, StoreError> {
    let (mut trailers, mut next) = (Vec::new(), from);
    for leaf in log.leaves(from, to - from).await? {
        if leaf.index > next {
            trailers.push(Trailer::Lost { from: next, to: leaf.index });
        }
        next = leaf.index + 1;
        let event = EventId::new(leaf.event).to_string();
        trailers.push(Trailer::Leaf { index: leaf.index, hash: leaf.hash.to_base64(), event });
    }
    if next < to {
        trailers.push(Trailer::Lost { from: next, to });
    }
    Ok(trailers)
}

/// Set of the entries of the tree that are in the export, as a bit for each.
struct Places {
    size: u64,
    bits: Vec<u64>,
}

impl Places {
    fn new(size: u64) -> Self {
        Self { size, bits: vec![0; usize::try_from(size.div_ceil(64)).unwrap_or(0)] }
    }

    fn note(&mut self, event: &VerifiableEvent) {
        if let Some(index) =
            event.event.log.as_ref().map(|log| log.index).filter(|index| *index < self.size)
        {
            self.bits[usize::try_from(index / 64).expect("the index is below the size")] |=
                1 << (index % 64);
        }
    }

    /// Runs of entries from `index` on that are not in the export, each as its first entry and the
    /// entry after its last.
    fn gaps_from(&self, mut index: u64) -> impl Iterator<Item = (u64, u64)> {
        std::iter::from_fn(move || {
            let from = self.next(index, false)?;
            index = self.next(from, true).unwrap_or(self.size);
            Some((from, index))
        })
    }

    /// First entry from `index` on that is in the export or, with `is_in` false, is not.
    fn next(&self, index: u64, is_in: bool) -> Option<u64> {
        let mut index = index;
        while index < self.size {
            let word = self.bits[usize::try_from(index / 64).expect("the index is below the size")];
            let matching = (if is_in { word } else { !word }) >> (index % 64);
            if matching != 0 {
                return Some(index + u64::from(matching.trailing_zeros()))
                    .filter(|entry| *entry < self.size);
            }
            index = (index / 64 + 1) * 64;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn gaps_are_what_was_not_noted() {
        let mut places = Places::new(200);
        places.bits = vec![u64::MAX, u64::MAX << 3, 1, 0];
        assert_eq!(places.gaps_from(0).collect::<Vec<_>>(), [(64, 67), (129, 200)]);
        assert_eq!(places.gaps_from(67).collect::<Vec<_>>(), [(129, 200)]);
        assert_eq!(Places::new(0).gaps_from(0).count(), 0);
    }
}
