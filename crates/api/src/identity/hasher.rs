//! Hashing passwords: Argon2id on a bounded number of threads. Each hash needs 19 MiB and some tens of milliseconds of a
//! core, so that many sign-ins at once wait their turn here, and neither stall other requests nor exhaust the memory.

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

/// More people are waiting than will be served in time.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy;

pub struct Hasher {
    argon2: Argon2<'static>,
    threads: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    patience: Duration,
    /// Checked where there is no account, so that an unknown address takes as long as a wrong password.
    nobody: credential::PasswordHash,
}

/// A turn at hashing. Whoever holds it may hash once or more; everybody else waits.
pub struct Turn {
    argon2: Argon2<'static>,
    _permit: OwnedSemaphorePermit,
}

impl Hasher {
    /// Fails where the parameters are none that Argon2 knows.
    pub fn new(config: &config::Passwords) -> Result<Self, argon2::Error> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let threads = match config.threads {
            // One core is left to everybody else.
            0 => std::thread::available_parallelism()
                .map_or(1, |cores| cores.get().saturating_sub(1).max(1)),
            threads => threads,
        };
        let nobody = hash(&argon2, &Password::new("nobody has this password"));
        Ok(Self {
            argon2,
            threads: Arc::new(Semaphore::new(threads)),
            waiting: AtomicUsize::new(0),
            queue: config.queue,
            patience: Duration::from_secs(config.wait_seconds),
            nobody,
        })
    }

    /// Waits for a turn, but neither in too long a queue nor for too long.
    pub async fn turn(&self) -> Result<Turn, Busy> {
        let permit = if let Ok(permit) = Arc::clone(&self.threads).try_acquire_owned() {
            permit
        } else {
            let _place = QueueSlot::take(&self.waiting, self.queue)?;
            let permit =
                tokio::time::timeout(self.patience, Arc::clone(&self.threads).acquire_owned())
                    .await;
            permit.map_err(|_| Busy)?.map_err(|_| Busy)?
        };
        Ok(Turn { argon2: self.argon2.clone(), _permit: permit })
    }

    /// The hash to check a password against where there is no account.
    pub const fn nobody(&self) -> &credential::PasswordHash {
        &self.nobody
    }
}

impl Turn {
    pub async fn hash(&self, password: &Password) -> credential::PasswordHash {
        let (argon2, password) = (self.argon2.clone(), password.clone());
        run(move || hash(&argon2, &password)).await
    }

    /// Is this the password? The parameters are those that it was hashed with.
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
        .expect("any password within the length limit can be hashed")
        .to_string()
        .into()
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("hashing does not panic, and nobody cancels it")
}

/// A place in the queue.
struct QueueSlot<'a>(&'a AtomicUsize);

impl<'a> QueueSlot<'a> {
    fn take(waiting: &'a AtomicUsize, queue: usize) -> Result<Self, Busy> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        if before < queue { Ok(place) } else { Err(Busy) }
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
