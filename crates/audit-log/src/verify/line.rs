//! Parsing of one line of an export, independent of the other lines, so that it runs in parallel.

use postern_tlog::Hash;
use serde_json::Value;

use crate::{
    entry::{LeafError, OpenedEvent},
    event::{CanonicalEvent, PRIVACY_ERASED, RETENTION_APPLIED, parse_known},
    export::{Trailer, is_trailer},
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
    /// A line that is neither an event nor a trailer.
    Malformed {
        number: u64,
        detail: String,
    },
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
            Err(error) => malformed(number, &error),
        };
    }
    let event = match CanonicalEvent::parse(line) {
        Ok(event) => event,
        Err(error) => return malformed(number, &error),
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
        Err(error) => malformed(number, &error),
    }
}

fn malformed(number: u64, error: &dyn std::fmt::Display) -> Line {
    // The parser sees one line: "at line 1" would be wrong.
    let error = error.to_string().replace(" at line 1 column ", " at column ");
    let detail = format!("line {number} is neither an event nor a trailer line: {error}");
    Line::Malformed { number, detail }
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
