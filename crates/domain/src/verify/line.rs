//! Parsing of one line of an export, independent of the other lines, so that it runs in parallel.

use postern_tlog::Hash;

use crate::{action::Action, entry::CanonicalEvent, export::Trailer};

/// A removal from the log that the log itself records.
pub enum RemovalNotice {
    /// Retention removed `events` events, all below index `first_kept`.
    Retired { events: u64, first_kept: u64 },
    /// Fields of `events` events were erased.
    Erased { events: u64 },
}

/// A parsed line.
pub enum Line {
    Event {
        id: String,
        origin: Option<String>,
        index: Option<u64>,
        pending: bool,
        erased: bool,
        leaf: Hash,
        recorded: Option<String>,
        notice: Option<RemovalNotice>,
    },
    Trailer(Trailer),
    Unreadable(String),
    Forged(String),
}

/// Parses a line, and hashes it if it is an event.
pub fn read(line: &str) -> Line {
    if ["{\"leaf\"", "{\"node\"", "{\"lost\"", "{\"end\""].iter().any(|head| line.starts_with(head))
    {
        return serde_json::from_str(line)
            .map_or_else(|error| Line::Unreadable(error.to_string()), Line::Trailer);
    }
    let event = match CanonicalEvent::parse(line) {
        Ok(event) => event,
        Err(error) => return Line::Unreadable(error.to_string()),
    };
    let Some((opening, openings)) =
        event.opening.as_ref().and_then(|opening| Some((opening, opening.openings()?)))
    else {
        return Line::Unreadable(format!("event {} has no valid `opening`", event.id));
    };
    if let Some(part) = event.find_unblanked_erased_part(&openings) {
        return Line::Forged(format!(
            "event {} was altered: its field {part} is listed as erased but has a value",
            event.id
        ));
    }
    let number = |name| event.metadata.get(name).and_then(serde_json::Value::as_u64);
    let notice = match (&*event.action, number("events"), number("first_kept")) {
        (name, Some(events), Some(first_kept)) if name == Action::AuditRetentionApplied.name() => {
            Some(RemovalNotice::Retired { events, first_kept })
        }
        (name, Some(events), _) if name == Action::PrivacyErased.name() => {
            Some(RemovalNotice::Erased { events })
        }
        _ => None,
    };
    Line::Event {
        leaf: event.leaf(&openings),
        id: event.id.to_string(),
        origin: event.log.as_ref().map(|log| log.origin.clone()),
        index: event.log.as_ref().map(|log| log.index),
        pending: opening.pending,
        erased: !opening.erased_fields.is_empty(),
        recorded: opening.leaf.clone(),
        notice,
    }
}
