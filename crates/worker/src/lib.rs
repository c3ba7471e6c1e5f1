//! Background jobs. So far there is one: the sequencer, which builds the transparency log
//! ([`postern_persistence::sequencer`]). Any number of processes may run it; they take turns.

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

/// Interval for reloading the audit keys and retrying quarantined logs.
const RELOAD_INTERVAL: Duration = Duration::from_mins(1);

/// Runs background jobs until it is stopped.
pub struct Worker {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
    /// Pause after a batch that left nothing queued.
    pub interval: Duration,
}

impl Worker {
    /// Runs until `stop` is true, then sequences once more for the last events. Each batch is a
    /// transaction, so nothing is left half done.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut sequencer, ids) =
            (Sequencer::new(Arc::clone(&self.store)), Arc::new(Ids::default()));
        let mut interval = tokio::time::interval(self.interval);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut healthy, mut stopping, mut last_reload) = (true, false, Instant::now());
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => stopping = true,
                _ = interval.tick() => {}
            }
            if last_reload.elapsed() >= RELOAD_INTERVAL {
                last_reload = Instant::now();
                if let Err(error) =
                    self.store.audit_keys().map_or(Ok(()), |audit_keys| audit_keys.reload())
                {
                    tracing::error!(
                        %error,
                        "could not reload the audit keys; the keys loaded before stay in use"
                    );
                }
                sequencer.retry_quarantined();
            }
            let drained = self.drain(&mut sequencer, &ids).await;
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
            metrics::gauge!("postern_audit_logs_quarantined")
                .set(sequencer.quarantined_count() as f64);
            match drained {
                Ok(()) => healthy = true,
                // Logged when an outage begins, not for each attempt.
                Err(error) if healthy => {
                    healthy = false;
                    tracing::error!(
                        error = chain(&error),
                        "sequencing failed; events wait in the audit queue"
                    );
                }
                Err(_) => {}
            }
            if stopping {
                return;
            }
        }
    }

    /// Sequences batches until less than a whole batch was queued.
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
                    "log quarantined: it cannot be appended to, its events wait in the audit queue"
                );
            }
            for (org, event) in &rejected {
                tracing::error!(
                    ?org,
                    %event,
                    "rejected an unauthenticated or duplicate entry in the audit queue"
                );
            }
            metrics::counter!("postern_audit_events_sequenced_total").increment(events);
            metrics::counter!("postern_audit_entries_rejected_total")
                .increment(rejected.len() as u64);
            if events + (rejected.len() as u64) < BATCH && damaged.is_empty() {
                return Ok(());
            }
        }
    }
}
