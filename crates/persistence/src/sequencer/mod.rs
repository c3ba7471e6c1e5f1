//! The sequencer: gives each event its index in the log of its org, in queue order, one batch per
//! transaction.
//!
//! Any number of processes may try; a database lock elects one for each batch, so no process has
//! to detect that another died. Events leave the queue in the transaction that appends them to
//! the log (`tests/suite/audit/sequencer.rs` kills a server at random moments).

mod append;
mod batch;
mod frontier;
mod queue;
mod report;

use std::{collections::BTreeSet, sync::Arc};

use postern_domain::clock::RequestContext;
use uuid::Uuid;

use crate::{entity::org_unless_nil, error::StoreError, store::Store};
use batch::BatchScope;

pub use queue::{BATCH, pending};
pub use report::BatchReport;

/// Sequences batches while this process holds the lock.
pub struct Sequencer {
    store: Arc<Store>,
    quarantined: BTreeSet<Uuid>,
}

impl Sequencer {
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, quarantined: BTreeSet::new() }
    }

    /// Sequences a batch. None if another process holds the lock.
    pub async fn run_batch(
        &mut self,
        context: &RequestContext,
    ) -> Result<Option<BatchReport>, StoreError> {
        match batch::run(&self.store, BatchScope::AllExcept(&self.quarantined), context).await {
            Err(StoreError::Conflict(_) | StoreError::Corrupt(_)) => {
                self.run_one_by_one(context).await
            }
            result => result,
        }
    }

    /// Tries quarantined logs again with the next batch, as they may have been repaired.
    pub fn retry_quarantined(&mut self) {
        self.quarantined.clear();
    }

    /// Number of quarantined logs.
    #[must_use]
    pub fn quarantined_count(&self) -> usize {
        self.quarantined.len()
    }

    /// Sequences log by log, and quarantines logs that cannot be appended to.
    async fn run_one_by_one(
        &mut self,
        context: &RequestContext,
    ) -> Result<Option<BatchReport>, StoreError> {
        let mut all = BatchReport::default();
        for log in queue::logs_except(&self.store, &self.quarantined).await? {
            match batch::run(&self.store, BatchScope::One(log), context).await {
                Ok(Some(BatchReport { events, logs, rejected, damaged: _ })) => {
                    all.events += events;
                    all.logs.extend(logs);
                    all.rejected.extend(rejected);
                }
                Err(error @ (StoreError::Conflict(_) | StoreError::Corrupt(_))) => {
                    self.quarantined.insert(log);
                    all.damaged.push((org_unless_nil(log), error));
                }
                Err(error) if all.damaged.is_empty() => return Err(error),
                // Another process has the lock, or the next batch will meet the error again.
                // Completed work is reported in any case.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(Some(all))
    }
}
