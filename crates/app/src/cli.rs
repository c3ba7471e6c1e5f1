//! Operations of the command line. They have no routes, and no permission: a person who can run
//! the binary with the configuration can read the database as well.

use std::sync::Arc;

use postern_domain::{
    action::Action,
    actor::Actor,
    clock::RequestContext,
    operation::{Impersonated, Operation, Records},
    policy,
    scope::{self, ScopeKind},
};
use postern_persistence::{Store, StoreError, pre_auth::PreAuthTx, unit::Work};

pub static ADD_USER: Operation = operation("postern user add", &[Action::UserCreated]);
pub static GRANT_STAFF: Operation = operation("postern staff grant", &[Action::StaffTierChanged]);
pub static REVOKE_STAFF: Operation = operation("postern staff revoke", &[Action::StaffTierChanged]);
pub static SET_RETENTION: Operation =
    operation("postern retention set", &[Action::AuditRetentionChanged]);
pub static HOLD_RETENTION: Operation =
    operation("postern retention hold", &[Action::AuditRetentionChanged]);
pub static RELEASE_RETENTION: Operation =
    operation("postern retention release", &[Action::AuditRetentionChanged]);

/// Actor of `postern retention run`.
pub const RUN_RETENTION: Actor = Actor::Cli { command: "postern retention run" };
/// Actor of `postern privacy erase`.
pub const ERASE: Actor = Actor::Cli { command: "postern privacy erase" };

const fn operation(command: &'static str, records: &'static [Action]) -> Operation {
    Operation {
        id: command,
        scope: ScopeKind::Staff,
        needs: None,
        records: Records::Always(records),
        impersonated: Impersonated::Blocked,
        demands: &[],
        deprecated: None,
    }
}

/// Begins a unit of work of the command line.
pub async fn begin(
    store: &Arc<Store>,
    operation: &'static Operation,
    context: RequestContext,
) -> Result<Work<scope::Staff>, StoreError> {
    let grant = policy::authorize_cli(operation, operation.id);
    Ok(PreAuthTx::open(store, true).await?.authorized(grant, context).begin())
}
