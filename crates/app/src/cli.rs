//! Operations of the command line. They have no routes, and no permission: a person who can run
//! the binary with the configuration can read the database as well.

use std::sync::Arc;

use postern_domain::{
    action::Action,
    clock::RequestContext,
    operation::{Impersonated, Operation, Records},
    policy,
    scope::{self, ScopeKind},
};
use postern_persistence::{Store, StoreError, pre_auth::PreAuthTx, unit::Work};

pub static ADD_USER: Operation = operation("postern user add", &[Action::UserCreated]);
pub static CHANGE_STAFF: Operation = operation("postern staff", &[Action::StaffTierChanged]);
pub static CHANGE_RETENTION: Operation =
    operation("postern retention", &[Action::AuditRetentionChanged]);

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
