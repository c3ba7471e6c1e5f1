//! A log as a file that can be checked without us: its events, and what accounts for every entry that is not among them. It is made while
//! it is read, some hundred events at a time, and whoever reads it is admitted anew for each of those.

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
use crate::http::{Call, Code, Download, Entry, Format, Gone, Paused, Problem, Room, Sink};

/// So many events are read at a time.
const EVENTS: u64 = 500;
/// So many gaps between them at a time, and no more when those told one by one come to [`ONE_BY_ONE`].
const GAPS: usize = 64;
/// Up to so many entries in a row that are not there are told one by one, with the ids of their events.
const ONE_BY_ONE: u64 = 1_000;
/// For no longer than this.
const LONGEST: Duration = Duration::from_hours(6);
/// About so many checkpoints from before are told.
const HISTORY: u64 = 500;

/// What is asked for: a log, or a part of it.
pub struct Asked {
    /// None for the platform's own.
    pub org: Option<OrgRef>,
    pub query: EventsQuery,
    pub format: Format,
}

/// Records that the log goes out, and only then begins.
pub async fn start<O: Source>(call: Call<O>, asked: Asked) -> Result<Download, Problem> {
    if O::Scope::who(call.held()).is_some_and(|(actor, _)| {
        actor.caller().is_some_and(|caller| caller.impersonation().is_some())
    }) {
        return Err(Denial::Blocked.into());
    }
    let room = call.room()?;
    let log = O::log(&call, asked.org.as_ref());
    let (origin, head) = (log.origin()?, log.head().await?);
    let patience = call.state().server.slow_reader();
    let (paused, name) = (
        call.pause_beyond_token(),
        asked.org.as_ref().map_or("platform", |org| &org.slug).to_owned(),
    );
    call.record_in_own_tx(exported(&asked, &origin, head.size)).await?;
    let (sink, download) = Download::stream(asked.format.media_type(), patience);
    let file_name = format!("audit-{name}.{}", asked.format.name());
    let writing = async move {
        let export = Export { paused, asked, origin, head, begun: Instant::now(), _room: room };
        match export.write(&sink).await {
            Ok(()) => sink.finish(),
            Err(Ended::Gone) => tracing::info!("nobody reads an export any more"),
            Err(Ended::Failed(problem)) => {
                tracing::warn!(code = problem.code().name(), "an export was cut off")
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

/// Why an export ends early.
enum Ended {
    /// Nobody reads it any more.
    Gone,
    Failed(Problem),
}

impl From<Gone> for Ended {
    fn from(_: Gone) -> Self {
        Self::Gone
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
    paused: Paused<O>,
    asked: Asked,
    origin: String,
    /// The tree that the export is checked against: what comes later is told, but not covered.
    head: Head,
    begun: Instant,
    _room: Room,
}

impl<O: Source> Export<O> {
    async fn write(&self, sink: &Sink) -> Result<(), Ended> {
        let whose = self.asked.org.as_ref().map_or(LogScope::Platform, |org| LogScope::Org(org.id));
        let filter = EventFilter { log: whose, ..self.asked.query.clone().into() };
        let mut table = Table::new(self.asked.format);
        let (mut events, mut exported) = (0, Places::new(self.head.size));
        let mut next = Some(Uuid::nil());
        // To the very end: an id from a time that is not yet, which no server has made, is told as well.
        while let Some(after) = next {
            let call = self.admitted().await?;
            let (page, behind) = O::events(&call).exhibits(&filter, after, EVENTS).await?;
            call.leave().await?;
            next = behind;
            events += page.len() as u64;
            for exhibit in &page {
                exported.note(exhibit);
                table.event(exhibit);
            }
            sink.send(table.take()).await?;
        }
        // A table has no room for what stands for the rest.
        let mut index = if self.asked.format == Format::Csv { self.head.size } else { 0 };
        loop {
            let mut lines = 0;
            let gaps = exported.gaps_from(index).take(GAPS).take_while(|(from, to)| {
                let before = lines;
                lines += (to - from).min(ONE_BY_ONE);
                before < ONE_BY_ONE
            });
            let gaps: Vec<(u64, u64)> = gaps.collect();
            let Some((_, behind)) = gaps.last() else { break };
            index = *behind;
            let call = self.admitted().await?;
            for trailer in self.account(&O::log(&call, self.asked.org.as_ref()), &gaps).await? {
                table.trailer(&trailer);
            }
            call.leave().await?;
            sink.send(table.take()).await?;
        }
        let call = self.admitted().await?;
        table.trailer(&self.end(&O::log(&call, self.asked.org.as_ref()), events).await?);
        call.leave().await?;
        Ok(sink.send(table.take()).await?)
    }

    /// The call again, if the caller may still see all that was asked for.
    async fn admitted(&self) -> Result<Call<O>, Ended> {
        if self.begun.elapsed() > LONGEST {
            return Err(Problem::new(Code::TokenExpired).into());
        }
        let call = self.paused.resume().await?;
        if O::sees_all(&call) {
            Ok(call)
        } else {
            Err(Problem::from(Denial::Forbidden(Permission::PlatformAuditReadAll)).into())
        }
    }

    /// What stands for the entries that are not among the events: whatever is needed to put the tree together.
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

    /// What all of it has to come to.
    async fn end(&self, log: &Log<'_>, events: u64) -> Result<Trailer, StoreError> {
        let filter = (!self.asked.query.is_empty())
            .then(|| serde_json::to_value(&self.asked.query).unwrap_or_default());
        let history = log.history(self.head.size, HISTORY).await?;
        let (origin, checkpoint) = (self.origin.clone(), self.head.note.clone());
        Ok(Trailer::End(End { origin, events, filter, checkpoint, history }))
    }
}

/// The entries from `from` to before `to`, with the ids of their events.
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

/// Which entries of the tree are in the export: a bit for each.
struct Places {
    size: u64,
    bits: Vec<u64>,
}

impl Places {
    fn new(size: u64) -> Self {
        Self { size, bits: vec![0; usize::try_from(size.div_ceil(64)).unwrap_or(0)] }
    }

    fn note(&mut self, exhibit: &VerifiableEvent) {
        if let Some(index) =
            exhibit.event.log.as_ref().map(|log| log.index).filter(|index| *index < self.size)
        {
            self.bits[usize::try_from(index / 64).expect("there is a word for it")] |=
                1 << (index % 64);
        }
    }

    /// Runs of entries that are not, each as its first and the one behind its last, from some place on.
    fn gaps_from(&self, mut index: u64) -> impl Iterator<Item = (u64, u64)> {
        std::iter::from_fn(move || {
            let from = self.next(index, false)?;
            index = self.next(from, true).unwrap_or(self.size);
            Some((from, index))
        })
    }

    /// The next entry from `place` on that is in the export, or is not.
    fn next(&self, index: u64, is_in: bool) -> Option<u64> {
        let mut index = index;
        while index < self.size {
            let word = self.bits[usize::try_from(index / 64).expect("there is a word for it")];
            let wanted = (if is_in { word } else { !word }) >> (index % 64);
            if wanted != 0 {
                return Some(index + u64::from(wanted.trailing_zeros()))
                    .filter(|found| *found < self.size);
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
