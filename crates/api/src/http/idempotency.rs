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

use super::{code::Code, input::Input, problem::Problem, reply::Reply, request_headers};
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
    let Some(key) = read_key(operation, input)? else { return Ok(Repeat::None) };
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

/// Key of a request, if it has one.
fn read_key<'i>(operation: &Operation, input: &'i Input) -> Result<Option<&'i str>, Problem> {
    let Some(key) = request_headers::single(&input.request, HEADER)? else {
        return if operation.demands.contains(&Demand::IdempotencyKey) {
            Err(Problem::new(Code::IdempotencyKeyRequired))
        } else {
            Ok(None)
        };
    };
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
        let detail = "Idempotency-Key must have 1 to 255 visible ASCII characters, no spaces";
        return Err(Problem::new(Code::InvalidHeader).detail(detail));
    }
    Ok(Some(key))
}
