//! The time and the ids that follow from it, as parameters.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
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
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine what time it is"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Where ids come from: the time of the clock, a counter that keeps those of one moment in order, and randomness.
#[derive(Default)]
pub struct Ids(Mutex<ContextV7>);

impl Ids {
    /// Ids are never further ahead of the clock than this: where it has been set back by more, they begin anew.
    pub const AHEAD: TimeDelta = TimeDelta::hours(1);

    /// The least id that can be made at a moment: ids begin with their time in milliseconds (RFC 9562, 5.7).
    #[must_use]
    pub fn first_of(moment: DateTime<Utc>) -> Uuid {
        let milliseconds = u128::try_from(moment.timestamp_millis()).unwrap_or(0);
        Uuid::from_u128(milliseconds << 80)
    }

    /// A new id, later than all that this source gave out before for the same or an earlier moment (RFC 9562, 6.2).
    pub fn next<T>(&self, now: DateTime<Utc>) -> Id<T> {
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        let mut context = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = |context: &ContextV7| {
            Uuid::new_v7(Timestamp::from_unix(context, seconds, now.timestamp_subsec_nanos()))
        };
        let id = made(&context);
        let ahead = id.get_timestamp().map_or(0, |time| time.to_unix().0).saturating_sub(seconds);
        if i64::try_from(ahead).is_ok_and(|ahead| ahead < Self::AHEAD.num_seconds()) {
            return Id::new(id);
        }
        *context = ContextV7::new();
        Id::new(made(&context))
    }
}

/// When and from where one request acts: one `now` for all of it, however long it takes.
#[derive(Clone)]
pub struct RequestContext {
    pub now: DateTime<Utc>,
    pub ids: Arc<Ids>,
    pub source: Source,
}

impl RequestContext {
    #[must_use]
    pub fn id<T>(&self) -> Id<T> {
        self.ids.next(self.now)
    }
}
