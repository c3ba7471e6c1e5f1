//! Results of the sequencer.

use postern_domain::id::{EventId, OrgId};

use crate::error::StoreError;

/// Result of one batch.
#[derive(Debug, Default)]
pub struct BatchReport {
    /// Number of events that were sequenced.
    pub events: u64,
    /// Logs that have new entries.
    pub logs: Vec<Option<OrgId>>,
    /// Queue entries with an invalid MAC or an event that is already in the log, each with its log.
    pub rejected: Vec<(Option<OrgId>, EventId)>,
    /// Logs that cannot be appended to, with the cause. They are quarantined until
    /// [`super::Sequencer::retry_quarantined`], so that
    /// other logs continue.
    pub damaged: Vec<(Option<OrgId>, StoreError)>,
}
