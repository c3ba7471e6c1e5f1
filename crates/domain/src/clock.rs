//! The time and the ids that follow from it, as parameters.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::{Id, event::Source};

/// Where the present comes from. The server's is the system clock; a test's is a hand that it turns.
pub trait Clock: Send + Sync {
    /// Now, to the microsecond: what both databases keep, so that a time read back equals the one written.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine what time it is")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Where ids come from: the time of the clock, a counter that keeps those of one moment in order, and randomness.
#[derive(Default)]
pub struct Ids(Mutex<ContextV7>);

impl Ids {
    /// A new id, later than all that this source gave out before for the same or an earlier moment (RFC 9562, 6.2).
    pub fn next<T>(&self, now: DateTime<Utc>) -> Id<T> {
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        let context = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Id::new(Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos())))
    }
}

/// When and from where one request acts: one `now` for all of it, however long it takes.
#[derive(Clone)]
pub struct Stamp {
    pub now: DateTime<Utc>,
    pub ids: Arc<Ids>,
    pub source: Source,
}

impl Stamp {
    #[must_use]
    pub fn id<T>(&self) -> Id<T> {
        self.ids.next(self.now)
    }
}
