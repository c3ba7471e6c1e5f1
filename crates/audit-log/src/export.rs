//! Trailer of an NDJSON log export: the lines after the events, with which the export can be
//! verified offline. Written by the API, read by [`crate::verify`].

use serde::{Deserialize, Serialize};

use crate::unique_keys;

/// A line after the events.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trailer {
    /// The leaf hash of an entry without its event, and the event's id.
    Leaf { index: u64, hash: String, event: String },
    /// The root of the `1 << level` entries from `index << level` on, none of which are exported.
    Node { level: u8, index: u64, hash: String },
    /// Entries from `from` (inclusive) to `to` (exclusive) that the log has no hashes of.
    Lost { from: u64, to: u64 },
    /// The last line. An export without it is incomplete.
    End(End),
}

/// The last line of an export.
#[derive(Debug, Serialize, Deserialize)]
pub struct End {
    pub origin: String,
    /// Number of events in the export.
    pub events: u64,
    /// The requested filter; none if the whole log was requested.
    #[serde(default, deserialize_with = "unique_keys::value")]
    pub filter: Option<serde_json::Value>,
    /// The signed checkpoint that the export is verified against.
    pub checkpoint: String,
    /// Earlier signed checkpoints of the log, to narrow down the position of an alteration.
    pub history: Vec<String>,
}

/// Whether a line is a trailer: an object with the key of a trailer as its first key.
pub fn is_trailer(line: &str) -> bool {
    ["\"leaf\"", "\"node\"", "\"lost\"", "\"end\""].iter().any(|key| begins_with(line, key))
}

/// Whether a line is the last one: an object with the first key `end`.
pub fn is_end(line: &str) -> bool {
    begins_with(line, "\"end\"")
}

fn begins_with(line: &str, key: &str) -> bool {
    let first = line.trim_start().strip_prefix('{').map(str::trim_start);
    first.is_some_and(|first| first.starts_with(key))
}
