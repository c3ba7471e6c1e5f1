//! One line of an export by itself: what can be found out on any core, before it is known what the others say.

use postern_tlog::Hash;

use crate::{action::Action, entry::CanonicalEvent, export::Trailer};

/// Something has been removed from the log, with its knowledge.
pub enum RemovalNotice {
    /// The payload of `events` entries below `first_kept`.
    Retired { events: u64, first_kept: u64 },
    /// Parts of so many events.
    Erased { events: u64 },
}

/// What is found out about a line by itself.
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

/// Reads a line and hashes it, if it is an event.
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
        return Line::Unreadable(format!("event {} has nothing to check it with", event.id));
    };
    if let Some(part) = event.find_unblanked_erased_part(&openings) {
        return Line::Forged(format!(
            "event {} was altered: its {part} is said to be erased, and something else stands there",
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
