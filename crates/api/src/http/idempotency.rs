//! Requests that may be repeated: the first answer is kept for a day, committed with what it answers, and given again.
//! (draft-ietf-httpapi-idempotency-key-header.)
//!
//! Responses may hold a token that is shown once, so they are kept encrypted; keys and requests are kept as keyed hashes.

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

/// What a request's key says of it.
pub enum Repeat {
    /// It has none, or needs none.
    None,
    /// It is the first with this key, or the first that got anywhere.
    First(Pending),
    Replay(Reply<()>),
}

/// Under what to keep the answer.
#[derive(Debug)]
pub struct Pending {
    pub org: Option<OrgId>,
    pub user: UserId,
    pub key_hash: Vec<u8>,
    pub request_hash: Vec<u8>,
    /// Responses from before this are forgotten.
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
        let demanded = operation.demands.contains(&Demand::IdempotencyKey);
        return if demanded {
            Err(Problem::new(Code::IdempotencyKeyRequired))
        } else {
            Ok(Repeat::None)
        };
    };
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
        let form = "Idempotency-Key is 1 to 255 visible ASCII characters without spaces";
        return Err(Problem::new(Code::InvalidHeader).detail(form));
    }
    // Keys are the caller's own in one org: another person's, one's own under a guise or in another org, is another key.
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
        KeyState::Completed { request_hash: first, .. } if first != request_hash => {
            Err(Problem::new(Code::IdempotencyKeyReused))
        }
        KeyState::Completed { response, .. } => {
            Ok(Repeat::Replay(state.response_cipher.decrypt(response, &key_hash)?))
        }
    }
}

/// Closes answers so that the database does not hold what they hold (ChaCha20-Poly1305, RFC 8439), each for its own key.
pub struct ResponseCipher {
    key: LessSafeKey,
    fingerprints: hmac::Key,
    random: SystemRandom,
}

impl ResponseCipher {
    /// `secret` has 32 bytes.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = |purpose: &str| hmac::sign(&secret, purpose.as_bytes());
        let key = UnboundKey::new(&CHACHA20_POLY1305, derived("answers").as_ref())
            .expect("the key has the right length");
        let fingerprints = hmac::Key::new(hmac::HMAC_SHA256, derived("fingerprints").as_ref());
        Self { key: LessSafeKey::new(key), fingerprints, random: SystemRandom::new() }
    }

    /// A hash over parts, each with its length before it. It is keyed, because a body may hold a password, which a thief
    /// of the database could guess from a plain hash.
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
        let mut encrypted = serde_json::to_vec(reply).expect("a reply is plain data");
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
        let lost = || {
            tracing::warn!("a kept answer was encrypted with another key");
            Problem::new(Code::Conflict).detail(
                "the first answer can no longer be read; look at what is there before you try anew",
            )
        };
        if encrypted.len() < NONCE_LEN {
            return Err(lost());
        }
        let mut body = encrypted.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&encrypted).map_err(|_| lost())?;
        let decrypted =
            self.key.open_in_place(nonce, Aad::from(key_hash), &mut body).map_err(|_| lost())?;
        serde_json::from_slice(decrypted).map_err(|_| lost())
    }
}

fn no_random() -> Problem {
    tracing::error!("the system gives no random numbers");
    Problem::new(Code::Internal)
}
