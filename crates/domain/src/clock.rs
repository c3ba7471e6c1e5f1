//! Time and time-ordered ids, as parameters.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::{event::Source, id::Id};

/// Source of the current time: the system clock in the server, a settable clock in tests.
pub trait Clock: Send + Sync {
    /// The current time in microseconds, the precision of both databases, so that a time read back
    /// equals the one written.
    fn now(&self) -> DateTime<Utc>;
}

/// The system clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the system time")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Generator of `UUIDv7` ids: the current time, a counter that orders ids of the same time, and
/// randomness.
#[derive(Default)]
pub struct Ids(Mutex<ContextV7>);

impl Ids {
    /// Maximum distance of an id's time ahead of the clock. If the clock was set back by more, the
    /// generator starts again at the clock's time.
    pub const AHEAD: TimeDelta = TimeDelta::hours(1);

    /// The smallest id of `moment`: ids begin with their time in milliseconds (RFC 9562, 5.7).
    #[must_use]
    pub fn first_of(moment: DateTime<Utc>) -> Uuid {
        let milliseconds = u128::try_from(moment.timestamp_millis()).unwrap_or(0);
        Uuid::from_u128(milliseconds << 80)
    }

    /// Generates an id that is greater than all earlier ones, unless the clock was set back by
    /// [`Self::AHEAD`] or more (RFC 9562, 6.2).
    pub fn next<T>(&self, now: DateTime<Utc>) -> Id<T> {
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        let mut context = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let generate = |context: &ContextV7| {
            Uuid::new_v7(Timestamp::from_unix(context, seconds, now.timestamp_subsec_nanos()))
        };
        let id = generate(&context);
        let ahead = id.get_timestamp().map_or(0, |time| time.to_unix().0).saturating_sub(seconds);
        if i64::try_from(ahead).is_ok_and(|ahead| ahead < Self::AHEAD.num_seconds()) {
            return Id::new(id);
        }
        *context = ContextV7::new();
        Id::new(generate(&context))
    }
}

/// Time, id generator and source of one request. `now` is the same for the whole request.
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
