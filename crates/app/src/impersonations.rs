//! End of impersonations by Postern itself.

use postern_domain::{
    action::Action,
    end_cause::EndCause,
    id::ImpersonationId,
    operation::{Impersonated, Operation, Records},
    scope::{self, ScopeKind},
};
use postern_persistence::{StoreError, unit::Work};

/// Ends an impersonation that became invalid through a change made outside the server. It has no
/// route: requests that are rejected for that reason run it.
pub static END_INVALID: Operation = Operation {
    id: "end_invalid_impersonation",
    scope: ScopeKind::Staff,
    needs: None,
    records: Records::Always(&[Action::ImpersonationEnded]),
    impersonated: Impersonated::Blocked,
    demands: &[],
    deprecated: None,
};

/// Ends an impersonation, so that undoing the cause does not make it valid again. Does nothing if
/// it has ended already.
pub async fn end_invalid(
    mut work: Work<scope::Staff>,
    id: ImpersonationId,
    cause: EndCause,
) -> Result<(), StoreError> {
    let now = work.context().now;
    let impersonation = work.impersonations().find_for_update(id).await?;
    let Some(Ok(ended)) = impersonation.map(|impersonation| impersonation.end(cause, now)) else {
        return Ok(());
    };
    work.save(ended).await?;
    work.commit().await
}
