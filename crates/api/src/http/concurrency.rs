//! Concurrency limit for long responses (streams, exports, text searches): in total, per user and
//! per org.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postern_domain::id::{OrgId, UserId};

use super::{code::Code, problem::Problem};

/// Limits, and the permits in use.
pub struct ConcurrencyLimiter {
    total: usize,
    per_user: usize,
    in_use: Mutex<InUse>,
}

#[derive(Default)]
struct InUse {
    total: usize,
    by_user: HashMap<UserId, usize>,
    by_org: HashMap<OrgId, usize>,
}

/// Permit for one long response. Dropping it releases it.
pub struct Permit {
    limiter: Arc<ConcurrencyLimiter>,
    user: UserId,
    org: Option<OrgId>,
}

impl ConcurrencyLimiter {
    pub fn new(total: usize, per_user: usize) -> Arc<Self> {
        Arc::new(Self { total, per_user, in_use: Mutex::default() })
    }

    /// Acquires a permit. 429 if the user or the org is at its limit, 503 if the server is. An org
    /// may use a quarter of the total, and at least as much as one user.
    pub fn acquire(self: &Arc<Self>, user: UserId, org: Option<OrgId>) -> Result<Permit, Problem> {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let org_limit = self.per_user.max(self.total / 4);
        let is_full = |used: Option<&usize>, limit| used.is_some_and(|used| *used >= limit);
        if is_full(in_use.by_user.get(&user), self.per_user)
            || org.is_some_and(|org| is_full(in_use.by_org.get(&org), org_limit))
        {
            return Err(Problem::new(Code::TooManyStreams).retry_after(Duration::from_secs(5)));
        }
        if in_use.total >= self.total {
            return Err(Problem::new(Code::Unavailable)
                .detail("the server is at its limit of open streams and exports"));
        }
        in_use.total += 1;
        *in_use.by_user.entry(user).or_default() += 1;
        if let Some(org) = org {
            *in_use.by_org.entry(org).or_default() += 1;
        }
        Ok(Permit { limiter: Arc::clone(self), user, org })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut in_use = self.limiter.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.total -= 1;
        decrement(&mut in_use.by_user, self.user);
        if let Some(org) = self.org {
            decrement(&mut in_use.by_org, org);
        }
    }
}

fn decrement<K: Eq + Hash>(in_use: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = in_use.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_domain::Id;
    use uuid::Uuid;

    use super::ConcurrencyLimiter;

    #[test]
    fn one_user_cannot_take_every_permit() {
        let limiter = ConcurrencyLimiter::new(8, 2);
        let user = |n| Id::new(Uuid::from_u128(n));
        let (acme, globex) = (Some(Id::new(Uuid::from_u128(1))), Some(Id::new(Uuid::from_u128(2))));
        let first = limiter.acquire(user(1), acme).expect("below the limits");
        let second = limiter.acquire(user(1), acme).expect("below the limits");
        assert_eq!(
            limiter.acquire(user(1), acme).map(drop).expect_err("user limit").code().name(),
            "too_many_streams",
            "a third permit exceeds the limit per user"
        );
        assert_eq!(
            limiter.acquire(user(2), acme).map(drop).expect_err("org limit").code().name(),
            "too_many_streams",
            "a third permit exceeds the limit per org"
        );
        let permits: Vec<_> =
            (0..6).map(|n| limiter.acquire(user(3 + n), None).expect("below the limits")).collect();
        assert_eq!(
            limiter.acquire(user(20), globex).map(drop).expect_err("server limit").code().name(),
            "unavailable",
            "a ninth permit exceeds the limit of the server"
        );
        drop(first);
        drop(limiter.acquire(user(20), globex).expect("a permit was released"));
        drop((second, permits));
        assert!(
            limiter.in_use.lock().expect("the lock is not poisoned").by_user.is_empty(),
            "released permits leave no counters"
        );
    }
}
