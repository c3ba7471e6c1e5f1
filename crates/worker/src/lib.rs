//! What happens without a request. So far that is the pump, which makes a log that can be checked out of the record
//! ([`postern_persistence::pump`] says how). Any number of processes may run it; they take turns.

use std::{sync::Arc, time::Duration};

use postern_domain::{
    chain,
    clock::{Clock, Ids, RequestContext},
    event::Source,
};
use postern_persistence::{
    Store, StoreError,
    sequencer::{BATCH, BatchReport, Sequencer},
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior},
};

/// How often what somebody may have changed beside us is looked at again: the keys of the log, and logs that were set aside.
const AGAIN: Duration = Duration::from_mins(1);

/// One that works until it is told to stop.
pub struct Worker {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
    /// How long to wait after a turn that left nothing waiting.
    pub interval: Duration,
}

impl Worker {
    /// Works until `stop` says so, and then once more, for what was recorded last. A turn is a transaction: nothing is left half done.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut sequencer, ids) =
            (Sequencer::new(Arc::clone(&self.store)), Arc::new(Ids::default()));
        let mut interval = tokio::time::interval(self.interval);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut well, mut stopping, mut looked) = (true, false, Instant::now());
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => stopping = true,
                _ = interval.tick() => {}
            }
            if looked.elapsed() >= AGAIN {
                looked = Instant::now();
                if let Err(error) =
                    self.store.audit_keys().map_or(Ok(()), |audit_keys| audit_keys.reload())
                {
                    tracing::error!(%error, "the keys of the log cannot be read again; those read before stay in use");
                }
                sequencer.retry_quarantined();
            }
            let drained = self.drain(&mut sequencer, &ids).await;
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
            metrics::gauge!("postern_audit_logs_set_aside")
                .set(sequencer.quarantined_count() as f64);
            match drained {
                Ok(()) => well = true,
                // Once for each time that it begins, not once for each turn.
                Err(error) if well => {
                    well = false;
                    tracing::error!(
                        error = chain(&error),
                        "the log does not grow; what is recorded waits in the queue"
                    );
                }
                Err(_) => {}
            }
            if stopping {
                return;
            }
        }
    }

    /// Pumps as long as there is a whole batch.
    async fn drain(&self, sequencer: &mut Sequencer, ids: &Arc<Ids>) -> Result<(), StoreError> {
        loop {
            let context = RequestContext {
                now: self.clock.now(),
                ids: Arc::clone(ids),
                source: Source::default(),
            };
            let Some(BatchReport { events, rejected, damaged, logs: _ }) =
                sequencer.run_batch(&context).await?
            else {
                return Ok(());
            };
            for (org, error) in &damaged {
                tracing::error!(
                    ?org,
                    error = chain(error),
                    "a log cannot be appended to: it is set separate_pool, and what is recorded for it waits"
                );
            }
            for (org, event) in &rejected {
                tracing::error!(?org, %event, "an entry of the log's queue was put there by no server, or twice: it was taken out");
            }
            metrics::counter!("postern_audit_events_pumped_total").increment(events);
            metrics::counter!("postern_audit_entries_refused_total")
                .increment(rejected.len() as u64);
            if events + (rejected.len() as u64) < BATCH && damaged.is_empty() {
                return Ok(());
            }
        }
    }
}
