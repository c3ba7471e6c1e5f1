//! Password hashing: Argon2id on a bounded number of threads. By default, each hash takes 19 MiB
//! and tens of milliseconds of CPU time. Concurrent sign-ins are queued here, so that they neither
//! stall other requests nor exhaust the memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use postern_domain::{credential, password::Password};
use secrecy::ExposeSecret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config;

/// The queue for hashing is full, or the wait timed out.
#[derive(Debug, thiserror::Error)]
#[error("too many concurrent password checks")]
pub struct Busy;

pub struct Hasher {
    argon2: Argon2<'static>,
    max_concurrent: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_queued: usize,
    queue_timeout: Duration,
    /// Verified against if there is no account, so that an unknown address takes as long as a wrong
    /// password.
    dummy_hash: credential::PasswordHash,
}

/// Permit to hash and verify passwords. Released on drop.
pub struct HashPermit {
    argon2: Argon2<'static>,
    _permit: OwnedSemaphorePermit,
}

impl Hasher {
    /// Fails if Argon2 rejects the parameters.
    pub fn new(config: &config::Passwords) -> Result<Self, argon2::Error> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let max_concurrent = match config.max_concurrent_hashes {
            // Leave one core to other requests.
            0 => std::thread::available_parallelism()
                .map_or(1, |cores| cores.get().saturating_sub(1).max(1)),
            max_concurrent => max_concurrent,
        };
        let dummy_hash = hash(&argon2, &Password::new("timing equalization, no account has this"));
        Ok(Self {
            argon2,
            max_concurrent: Arc::new(Semaphore::new(max_concurrent)),
            waiting: AtomicUsize::new(0),
            max_queued: config.max_queued,
            queue_timeout: Duration::from_secs(config.queue_timeout_seconds),
            dummy_hash,
        })
    }

    /// Waits for a permit. Fails if the queue is full or the wait times out.
    pub async fn acquire(&self) -> Result<HashPermit, Busy> {
        let permit = if let Ok(permit) = Arc::clone(&self.max_concurrent).try_acquire_owned() {
            permit
        } else {
            let _slot = QueueSlot::take(&self.waiting, self.max_queued)?;
            let permit = tokio::time::timeout(
                self.queue_timeout,
                Arc::clone(&self.max_concurrent).acquire_owned(),
            )
            .await;
            permit.map_err(|_| Busy)?.map_err(|_| Busy)?
        };
        Ok(HashPermit { argon2: self.argon2.clone(), _permit: permit })
    }

    /// Hash to verify a password against if there is no account.
    pub const fn dummy_hash(&self) -> &credential::PasswordHash {
        &self.dummy_hash
    }
}

impl HashPermit {
    pub async fn hash(&self, password: &Password) -> credential::PasswordHash {
        let (argon2, password) = (self.argon2.clone(), password.clone());
        run(move || hash(&argon2, &password)).await
    }

    /// Whether the password matches the hash. The hash includes its parameters.
    pub async fn verify(&self, password: &Password, against: &credential::PasswordHash) -> bool {
        let (argon2, password, against) = (self.argon2.clone(), password.clone(), against.clone());
        run(move || {
            PasswordHash::new(against.expose_secret())
                .is_ok_and(|hash| argon2.verify_password(password.expose(), &hash).is_ok())
        })
        .await
    }
}

fn hash(argon2: &Argon2<'_>, password: &Password) -> credential::PasswordHash {
    argon2
        .hash_password(password.expose())
        .expect("passwords within the length limit can be hashed")
        .to_string()
        .into()
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("hashing does not panic and is not cancelled")
}

/// Slot in the queue. Released on drop.
struct QueueSlot<'a>(&'a AtomicUsize);

impl<'a> QueueSlot<'a> {
    fn take(waiting: &'a AtomicUsize, max_queued: usize) -> Result<Self, Busy> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let slot = Self(waiting);
        if before < max_queued { Ok(slot) } else { Err(Busy) }
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
