//! Whether what the server stands on is as it has to be, asked now and then: `/readyz` says it in short, `postern doctor` at length.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use postern_domain::clock::{Clock, SystemClock};
use postern_persistence::{Store, StoreError, schema};
use tokio::sync::Mutex;

/// How long an examination is good for. It asks the catalogue a dozen questions, and balancers ask every second.
const GOOD_FOR: Duration = Duration::from_secs(30);

/// The last examination.
#[derive(Default)]
pub struct Standing(Mutex<Option<(Instant, BTreeSet<&'static str>)>>);

impl Standing {
    /// The checks that found something; and the database answers, or this is an error.
    pub async fn faults(&self, store: &Arc<Store>) -> Result<BTreeSet<&'static str>, StoreError> {
        let mut last = self.0.lock().await;
        if let Some((at, checks)) = &*last
            && at.elapsed() < GOOD_FOR
        {
            store.ping().await?;
            return Ok(checks.clone());
        }
        // The machine's clock is what is compared with the database's, not the one that a test turns.
        let faults = schema::examine(store, SystemClock.now()).await?;
        for fault in &faults {
            tracing::error!(check = fault.check, remedy = fault.remedy, "{}", fault.what);
        }
        let checks: BTreeSet<_> = faults.iter().map(|fault| fault.check).collect();
        *last = Some((Instant::now(), checks.clone()));
        Ok(checks)
    }
}
