//! What stands in an export of a log behind its events, so that they can be checked without us. Who writes it is the API, who reads it
//! [`crate::verify`], or anybody.

use serde::{Deserialize, Serialize};

/// What stands in an export behind the events.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trailer {
    /// An entry whose event is not there.
    Leaf { index: u64, hash: String, event: String },
    /// The root of `1 << level` entries, from `index << level` on, which are not in the export.
    Node { level: u8, index: u64, hash: String },
    /// Entries from `from` to before `to` of which the log itself knows nothing any more.
    Lost { from: u64, to: u64 },
    /// The last line: without it the export has been cut off.
    End(End),
}

/// The last line of an export.
#[derive(Debug, Serialize, Deserialize)]
pub struct End {
    pub origin: String,
    /// How many events stand before it.
    pub events: u64,
    /// Which events were asked for; none for all.
    pub filter: Option<serde_json::Value>,
    /// The signed note of the tree that the export is checked against.
    pub checkpoint: String,
    /// Some that the log has had before, to narrow down where something was altered.
    pub history: Vec<String>,
}
