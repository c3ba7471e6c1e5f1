//! Whether what the server stands on is as it has to be, asked now and then: `/readyz` says it in short, `postern doctor` at length.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use postern_domain::clock::{Clock, SystemClock};
use postern_persistence::{Store, StoreError, schema};
use tokio::sync::Mutex;

/// How long an examination is good for: it asks the catalogue a dozen questions, and balancers ask every second. What has been mended
/// is to be seen sooner than what has been damaged.
const SOUND_FOR: Duration = Duration::from_secs(30);
const DAMAGED_FOR: Duration = Duration::from_secs(5);

type Checks = BTreeSet<&'static str>;

/// The last examination.
#[derive(Default)]
pub struct Standing {
    last: RwLock<Option<(Instant, Checks)>>,
    /// One looks, the others wait for what it finds.
    looking: Mutex<()>,
}

impl Standing {
    /// The checks that found something; and the database answers, or this is an error.
    pub async fn faults(&self, store: &Arc<Store>) -> Result<Checks, StoreError> {
        if let Some(checks) = self.known() {
            store.ping().await?;
            return Ok(checks);
        }
        let _looking = self.looking.lock().await;
        if let Some(checks) = self.known() {
            return Ok(checks);
        }
        // The machine's clock is what is compared with the database's, not the one that a test turns.
        let faults = schema::examine(store, SystemClock.now()).await?;
        for fault in &faults {
            tracing::error!(check = fault.check, remedy = fault.remedy, "{}", fault.detail);
        }
        let checks: Checks = faults.iter().map(|fault| fault.check).collect();
        *self.last.write().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), checks.clone()));
        Ok(checks)
    }

    fn known(&self) -> Option<Checks> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        let (at, checks) = last.as_ref()?;
        let good_for = if checks.is_empty() { SOUND_FOR } else { DAMAGED_FOR };
        (at.elapsed() < good_for).then(|| checks.clone())
    }
}
