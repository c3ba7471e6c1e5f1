//! State that all handlers share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use postern_domain::{
    Id,
    clock::{Clock, Ids},
};
use postern_keystore::{KeyError, KeyRing, Secrets};
use postern_persistence::Store;

use crate::{
    config::{self, Config},
    http::{
        client_address, concurrency::ConcurrencyLimiter, cursor::CursorKey,
        response_cipher::ResponseCipher,
    },
    identity::{Hasher, Tokens},
    prometheus::prometheus,
    readiness::ReadinessCache,
};

pub struct State {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub tokens: Tokens,
    pub hasher: Hasher,
    pub cursors: CursorKey,
    pub response_cipher: ResponseCipher,
    pub server: config::Server,
    pub sign_in: config::SignIn,
    pub impersonation: config::Impersonation,
    pub staff: config::Staff,
    pub idempotency: config::Idempotency,
    pub(crate) address_warnings: client_address::Warnings,
    pub(crate) readiness: ReadinessCache,
    pub(crate) stream_limiter: Arc<ConcurrencyLimiter>,
    stopping: AtomicBool,
}

/// Reason that the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("passwords: {0}")]
    Passwords(String),
}

impl State {
    /// Reads the key files, and creates missing ones.
    pub fn new(
        config: Config,
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let Config { server, tokens, passwords, sign_in, impersonation, staff, idempotency } =
            config;
        prometheus();
        let keys = KeyRing::open(&tokens.keys_dir, tokens.key_schedule(), clock.now())?;
        let secrets = Secrets::open(&tokens.keys_dir)?;
        Ok(Self {
            store,
            clock,
            ids: Arc::default(),
            tokens: Tokens::new(keys, &server.public_url, &tokens),
            hasher: Hasher::new(&passwords)
                .map_err(|error| StartError::Passwords(error.to_string()))?,
            cursors: CursorKey::new(secrets.cursors),
            response_cipher: ResponseCipher::new(&secrets.responses),
            stream_limiter: ConcurrencyLimiter::new(
                server.max_concurrent_streams,
                server.max_concurrent_streams_per_user,
            ),
            server,
            sign_in,
            impersonation,
            staff,
            idempotency,
            address_warnings: client_address::Warnings::default(),
            readiness: ReadinessCache::default(),
            stopping: AtomicBool::new(false),
        })
    }

    /// An ID for a request without one: 32 hexadecimal digits, like a trace ID.
    #[must_use]
    pub fn new_request_id(&self) -> String {
        let id: Id<()> = self.ids.next(self.clock.now());
        id.uuid().simple().to_string()
    }

    /// Makes the server report that it is not ready, so that load balancers stop sending requests.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        // Wakes the event streams, so that they end now.
        self.store.log_notify().notify_all();
    }

    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
