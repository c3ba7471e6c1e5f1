//! Parsing of one line of an export, independent of the other lines, so that it runs in parallel.

use postern_tlog::Hash;
use serde_json::Value;

use crate::{
    entry::LeafError,
    event::{CanonicalEvent, PRIVACY_ERASED, RETENTION_APPLIED},
    export::Trailer,
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
    Event(EventLine),
    Trailer(Trailer),
    /// A line that is neither an event nor a trailer: description of the fault.
    Unreadable(String),
    /// An event with a value in an erased field: description of the fault.
    Altered(String),
}

/// An event of the export.
pub struct EventLine {
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
    pub notice: Option<RemovalNotice>,
}

/// Parses a line, and hashes it if it is an event. Errors name the line by its `number`.
pub fn parse(number: u64, line: &str) -> Line {
    let unreadable = |error: &dyn std::fmt::Display| {
        Line::Unreadable(format!("line {number} is neither an event nor a trailer line: {error}"))
    };
    if ["{\"leaf\"", "{\"node\"", "{\"lost\"", "{\"end\""].iter().any(|head| line.starts_with(head))
    {
        return serde_json::from_str(line).map_or_else(|error| unreadable(&error), Line::Trailer);
    }
    let event = match CanonicalEvent::parse(line) {
        Ok(event) => event,
        Err(error) => return unreadable(&error),
    };
    match event.opened_leaf() {
        Ok((opening, leaf)) => Line::Event(EventLine {
            id: event.id.to_string(),
            origin: event.log.as_ref().map(|log| log.origin.clone()),
            index: event.log.as_ref().map(|log| log.index),
            pending: opening.pending,
            erased: !opening.erased_fields.is_empty(),
            leaf,
            recorded: opening.leaf.clone(),
            notice: notice(&event),
        }),
        Err(error @ LeafError::Opening { .. }) => unreadable(&error),
        Err(error @ LeafError::Unblanked { .. }) => Line::Altered(error.to_string()),
    }
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
