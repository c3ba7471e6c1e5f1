//! What all handlers share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use postern_domain::{
    Id,
    clock::{Clock, Ids},
};
use postern_persistence::{Store, keyfile::KeyError};

use crate::{
    config::{self, Config},
    http::{CursorKey, ResponseCipher, Rooms},
    identity::{Hasher, KeyRing, Secrets, Tokens},
    running::collected,
    standing::Standing,
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
    pub(crate) standing: Standing,
    pub(crate) rooms: Arc<Rooms>,
    stopping: AtomicBool,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("passwords: {0}")]
    Passwords(String),
}

impl State {
    /// Reads the keys, and makes those that are not there.
    pub fn new(
        config: Config,
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let Config { server, tokens, passwords, sign_in, impersonation, staff, idempotency } =
            config;
        collected();
        let keys = KeyRing::open(&tokens, clock.now())?;
        let secrets = Secrets::open(&tokens.keys_dir)?;
        Ok(Self {
            store,
            clock,
            ids: Arc::default(),
            tokens: Tokens::new(keys, &server.public_url, &tokens),
            hasher: Hasher::new(&passwords)
                .map_err(|error| StartError::Passwords(error.to_string()))?,
            cursors: CursorKey::new(&secrets.cursors),
            response_cipher: ResponseCipher::new(&secrets.answers),
            rooms: Rooms::new(server.open_answers, server.open_answers_each),
            server,
            sign_in,
            impersonation,
            staff,
            idempotency,
            standing: Standing::default(),
            stopping: AtomicBool::new(false),
        })
    }

    /// An id for a request that came without one: 32 hexadecimal digits, as in a trace id.
    #[must_use]
    pub fn new_request_id(&self) -> String {
        let id: Id<()> = self.ids.next(self.clock.now());
        id.uuid().simple().to_string()
    }

    /// From now on the server says that it is not ready, so that nobody sends it more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        // Those who follow a log are to see it now.
        self.store.log_notify().notify_all();
    }

    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
