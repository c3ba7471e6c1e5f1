//! Cached database checks for `/readyz`. `postern doctor` runs the same checks and prints details.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use postern_domain::clock::{Clock, SystemClock};
use postern_persistence::{Store, StoreError, limit_waits, schema};
use tokio::{sync::Mutex, time::timeout};

/// Lifetime of a result. The checks run about a dozen queries on the database catalog, and load
/// balancers probe every second. Failures expire sooner, so that a repair is noticed quickly.
const SOUND_FOR: Duration = Duration::from_secs(30);
const DAMAGED_FOR: Duration = Duration::from_secs(5);

/// Maximum duration of the checks, and of their waits for the database, which end first.
const MAX_DURATION: Duration = Duration::from_millis(1500);
const MAX_WAIT: Duration = Duration::from_millis(1300);

type Checks = BTreeSet<&'static str>;

/// Result of the last checks.
#[derive(Default)]
pub struct ReadinessCache {
    last: RwLock<Option<(Instant, Checks)>>,
    /// Held while the checks run; other requests wait for their result.
    looking: Mutex<()>,
}

impl ReadinessCache {
    /// Names of the failed checks. An error if a check fails to run; `None` after
    /// [`MAX_DURATION`].
    pub async fn faults(&self, store: &Arc<Store>) -> Result<Option<Checks>, StoreError> {
        let faults = limit_waits(MAX_WAIT, self.examine(store));
        timeout(MAX_DURATION, faults).await.ok().transpose()
    }

    async fn examine(&self, store: &Arc<Store>) -> Result<Checks, StoreError> {
        if let Some(checks) = self.known() {
            store.ping().await?;
            return Ok(checks);
        }
        let _guard = self.looking.lock().await;
        if let Some(checks) = self.known() {
            return Ok(checks);
        }
        // The database's clock is compared with the system's, not with one that a test sets.
        let faults = schema::examine(store, SystemClock.now()).await?;
        for fault in &faults {
            tracing::error!(check = fault.check.name(), remedy = fault.remedy, "{}", fault.detail);
        }
        let checks: Checks = faults.iter().map(|fault| fault.check.name()).collect();
        *self.last.write().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), checks.clone()));
        Ok(checks)
    }

    fn known(&self) -> Option<Checks> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        let (at, checks) = last.as_ref()?;
        let lifetime = if checks.is_empty() { SOUND_FOR } else { DAMAGED_FOR };
        (at.elapsed() < lifetime).then(|| checks.clone())
    }
}
