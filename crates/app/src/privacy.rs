//! Erasure of personal data.

use std::convert::Infallible;

use postern_domain::{actor::Actor, clock::RequestContext, justification::Reason, user::UserKey};
use postern_persistence::maintenance::{AuditMaintenance, Erasure};

use crate::UseCaseError;

/// Erases a user's personal data from all events.
pub async fn erase(
    maintenance: &AuditMaintenance,
    user: &UserKey,
    reason: &Reason,
    actor: &Actor,
    context: &RequestContext,
) -> Result<Erasure, UseCaseError<Infallible>> {
    maintenance
        .erase(user, reason, actor, context)
        .await?
        .ok_or_else(|| UseCaseError::NotFound(format!("user {user}")))
}
