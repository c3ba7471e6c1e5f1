//! Parsing of one line of an export, independent of the other lines, so that it runs in parallel.

use postern_tlog::Hash;
use serde_json::Value;

use crate::{
    entry::{LeafError, OpenedEvent},
    event::{CanonicalEvent, InvalidEvent, PRIVACY_ERASED, RETENTION_APPLIED},
    export::{Trailer, is_end, is_trailer},
    json::parse_known,
};

/// A removal from the log that the log itself records.
pub enum RemovalNotice {
    /// Retention removed `events` events, all below index `first_kept`.
    Expired { events: u64, first_kept: u64 },
    /// Fields of `events` events were erased.
    Erased { events: u64 },
}

/// A parsed line.
pub enum Line {
    Event(Box<EventLine>),
    Trailer {
        number: u64,
        trailer: Trailer,
        /// Paths of fields that this program does not know.
        unknown: Vec<String>,
    },
    Malformed(MalformedLine),
}

/// A line that is neither an event nor a trailer.
pub struct MalformedLine {
    pub number: u64,
    pub detail: String,
    /// Whether it begins like a trailer.
    pub is_trailer: bool,
    /// Whether it is an `end` line, although one that cannot be read.
    pub is_end: bool,
    /// Whether it ends in the middle of its JSON.
    pub is_cut_off: bool,
}

/// An event of the export.
pub struct EventLine {
    pub number: u64,
    pub id: String,
    pub origin: Option<String>,
    pub index: Option<u64>,
    /// Whether the event has yet to be added to the log.
    pub pending: bool,
    /// Whether fields of the event were erased.
    pub erased: bool,
    /// Leaf hash, computed from the event.
    pub leaf: Hash,
    /// Leaf hash that the log has, according to the export.
    pub recorded: Option<String>,
    /// Reason that the leaf hash does not cover all that the event states.
    pub objection: Option<LeafError>,
    pub notice: Option<RemovalNotice>,
}

/// Parses a line, and hashes it if it is an event. Errors name the line by its `number`.
pub fn parse(number: u64, line: &str) -> Line {
    if is_trailer(line) {
        let mut unknown = Vec::new();
        return match parse_known(line, |path| unknown.push(path)) {
            Ok(trailer) => Line::Trailer { number, trailer, unknown },
            Err(error) => {
                let (is_end, is_cut_off) = (is_end(line), error.is_cut_off);
                let malformed = malformed(number, &error);
                Line::Malformed(MalformedLine { is_trailer: true, is_end, is_cut_off, ..malformed })
            }
        };
    }
    let event = match CanonicalEvent::parse(line) {
        Ok(event) => event,
        Err(InvalidEvent(error)) => {
            let is_cut_off = error.is_cut_off;
            return Line::Malformed(MalformedLine { is_cut_off, ..malformed(number, &error) });
        }
    };
    match event.open() {
        Ok(OpenedEvent { opening, leaf, objection }) => Line::Event(Box::new(EventLine {
            number,
            id: event.id.to_string(),
            origin: event.log.as_ref().map(|log| log.origin.clone()),
            index: event.log.as_ref().map(|log| log.index),
            pending: opening.pending,
            erased: !opening.erased_fields.is_empty(),
            leaf,
            recorded: opening.leaf.clone(),
            objection,
            notice: notice(&event),
        })),
        Err(error) => Line::Malformed(malformed(number, &error)),
    }
}

/// A complete line that is not a trailer.
fn malformed(number: u64, error: &dyn std::fmt::Display) -> MalformedLine {
    let detail = format!("line {number} is neither an event nor a trailer line: {error}");
    MalformedLine { number, detail, is_trailer: false, is_end: false, is_cut_off: false }
}

fn notice(event: &CanonicalEvent<'_>) -> Option<RemovalNotice> {
    let number = |name| event.metadata.get(name).and_then(Value::as_u64);
    let events = number("events")?;
    match &*event.action {
        RETENTION_APPLIED => {
            Some(RemovalNotice::Expired { events, first_kept: number("first_kept")? })
        }
        PRIVACY_ERASED => Some(RemovalNotice::Erased { events }),
        _ => None,
    }
}
