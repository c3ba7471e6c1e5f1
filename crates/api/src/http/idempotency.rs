//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header): the first response is committed
//! with the change, stored for a day by default, and replayed for repeated requests.
//!
//! Responses can contain a token that is shown only once, so they are stored encrypted. Keys and
//! requests are stored as keyed hashes.

use actix_web::http::Method;
use chrono::{DateTime, Duration, Utc};
use postern_domain::{
    actor::Caller,
    clock::RequestContext,
    id::{OrgId, UserId},
    operation::{Demand, Operation},
};
use postern_persistence::repository::idempotency::{IdempotencyStore, KeyState};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde::Serialize;

use super::{Reply, code::Code, input::Input, params, problem::Problem};
use crate::state::State;

const HEADER: &str = "idempotency-key";

/// Outcome of looking up an idempotency key.
pub enum Repeat {
    /// The request has no key, or the operation does not support keys.
    None,
    /// No request with this key has been committed.
    First(Pending),
    Replay(Reply<()>),
}

/// Key under which to store the response.
#[derive(Debug)]
pub struct Pending {
    pub org: Option<OrgId>,
    pub user: UserId,
    pub key_hash: Vec<u8>,
    pub request_hash: Vec<u8>,
    /// Responses stored before this time have expired.
    pub since: DateTime<Utc>,
}

pub async fn look_up(
    store: IdempotencyStore<'_>,
    caller: Option<&Caller>,
    operation: &'static Operation,
    state: &State,
    input: &Input,
    context: &RequestContext,
) -> Result<Repeat, Problem> {
    let Some(caller) =
        caller.filter(|_| input.request.method() == Method::POST && operation.is_repeatable())
    else {
        return Ok(Repeat::None);
    };
    let Some(key) = params::single(&input.request, HEADER)? else {
        let required = operation.demands.contains(&Demand::IdempotencyKey);
        return if required {
            Err(Problem::new(Code::IdempotencyKeyRequired))
        } else {
            Ok(Repeat::None)
        };
    };
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
        let detail = "Idempotency-Key must have 1 to 255 visible ASCII characters, no spaces";
        return Err(Problem::new(Code::InvalidHeader).detail(detail));
    }
    // Keys are separate for each accountable user, org and impersonation.
    let org = store.org();
    let org_text = org.map(|org| org.to_string()).unwrap_or_default();
    let impersonation = caller
        .impersonation()
        .map(|impersonation| impersonation.id.to_string())
        .unwrap_or_default();
    let user = caller.accountable().id;
    let key_hash = state.response_cipher.fingerprint(&[
        org_text.as_bytes(),
        user.uuid().as_bytes(),
        impersonation.as_bytes(),
        key.as_bytes(),
    ]);
    let request_hash = state.response_cipher.fingerprint(&[
        operation.id.as_bytes(),
        input.request.path().as_bytes(),
        &input.body,
    ]);
    let since = context.now - Duration::hours(state.idempotency.hours);
    match store.look_up(user, &key_hash, since).await? {
        KeyState::First => Ok(Repeat::First(Pending { org, user, key_hash, request_hash, since })),
        KeyState::InFlight => {
            Err(Problem::new(Code::IdempotencyInFlight)
                .retry_after(std::time::Duration::from_secs(1)))
        }
        KeyState::Completed { request_hash: stored, .. } if stored != request_hash => {
            Err(Problem::new(Code::IdempotencyKeyReused))
        }
        KeyState::Completed { response, .. } => {
            Ok(Repeat::Replay(state.response_cipher.decrypt(response, &key_hash)?))
        }
    }
}

/// Encrypts stored responses (ChaCha20-Poly1305, RFC 8439), each bound to the hash of its key.
pub struct ResponseCipher {
    key: LessSafeKey,
    fingerprints: hmac::Key,
    random: SystemRandom,
}

impl ResponseCipher {
    /// Derives the keys for encryption and for hashes from `secret`.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = |purpose: &str| hmac::sign(&secret, purpose.as_bytes());
        let key = UnboundKey::new(&CHACHA20_POLY1305, derived("answers").as_ref())
            .expect("the key has the right length");
        let fingerprints = hmac::Key::new(hmac::HMAC_SHA256, derived("fingerprints").as_ref());
        Self { key: LessSafeKey::new(key), fingerprints, random: SystemRandom::new() }
    }

    /// Keyed hash over length-prefixed parts. Keyed, because a body can contain a password, which
    /// could be guessed from a plain hash in a stolen database.
    fn fingerprint(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.fingerprints);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign().as_ref().to_vec()
    }

    pub fn encrypt<T: Serialize>(
        &self,
        reply: &Reply<T>,
        key_hash: &[u8],
    ) -> Result<Vec<u8>, Problem> {
        let mut encrypted = serde_json::to_vec(reply).expect("replies serialize to JSON");
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| no_random())?;
        let unique_nonce = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(unique_nonce, Aad::from(key_hash), &mut encrypted)
            .map_err(|_| no_random())?;
        encrypted.splice(..0, nonce);
        Ok(encrypted)
    }

    fn decrypt(&self, mut encrypted: Vec<u8>, key_hash: &[u8]) -> Result<Reply<()>, Problem> {
        let undecryptable = || {
            tracing::warn!("stored response was encrypted with another key");
            Problem::new(Code::Conflict).detail(
                "the stored response cannot be decrypted; check the current state before you \
                 retry with a new key",
            )
        };
        if encrypted.len() < NONCE_LEN {
            return Err(undecryptable());
        }
        let mut body = encrypted.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&encrypted).map_err(|_| undecryptable())?;
        let decrypted = self
            .key
            .open_in_place(nonce, Aad::from(key_hash), &mut body)
            .map_err(|_| undecryptable())?;
        serde_json::from_slice(decrypted).map_err(|_| undecryptable())
    }
}

fn no_random() -> Problem {
    tracing::error!("system random number generator failed");
    Problem::new(Code::Internal)
}
