//! A unit of work, and the response that is committed with it.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use postern_domain::scope::Scope;
use postern_persistence::{
    repository::unaudited::UnauditedWrite,
    unit::{HasLog, Work},
};
use serde::Serialize;

use super::{
    idempotency::Pending,
    reply::{HandlerResult, Reply},
};
use crate::state::State;

/// A unit of work of a request. With an idempotency key, the response is stored in the same
/// transaction.
#[must_use = "a unit of work that is not committed is rolled back"]
pub struct Unit<S: Scope> {
    pub(super) work: Work<S>,
    pub(super) state: Arc<State>,
    pub(super) pending: Option<Pending>,
}

impl<S: Scope> Deref for Unit<S> {
    type Target = Work<S>;

    fn deref(&self) -> &Work<S> {
        &self.work
    }
}

impl<S: Scope> DerefMut for Unit<S> {
    fn deref_mut(&mut self) -> &mut Work<S> {
        &mut self.work
    }
}

impl<S: HasLog> Unit<S> {
    /// Commits, and returns the response.
    pub async fn commit<T: Serialize>(mut self, reply: Reply<T>) -> HandlerResult<T> {
        if let Some(Pending { org, user, key_hash, request_hash, since }) = self.pending.take() {
            let response = self.state.response_cipher.encrypt(&reply, &key_hash)?;
            let at = self.work.context().now;
            self.work
                .write_unaudited(UnauditedWrite::StoreResponse {
                    org,
                    user,
                    key_hash,
                    request_hash,
                    response,
                    at,
                    since,
                })
                .await?;
        }
        self.work.commit().await?;
        Ok(reply)
    }
}
