use postern_domain::{permission::Permission, role::Role, tier::Tier};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Call, HandlerResult, ok},
    operations::op::{self, ReadPolicy},
};

/// Permission policy.
#[derive(Serialize, ToSchema)]
pub struct PolicyView {
    /// All permissions.
    data: Vec<PermissionView>,
}

/// Permission, with the roles and tiers that have it.
#[derive(Serialize, ToSchema)]
pub struct PermissionView {
    /// Name of the permission.
    #[schema(value_type = Permission)]
    permission: &'static str,
    /// Roles whose members have the permission in their org.
    roles: Vec<Role>,
    /// Staff tiers that have the permission.
    tiers: Vec<Tier>,
}

/// Get the permission policy.
///
/// Returns all permissions, with the roles and staff tiers that have them. The response is the same
/// for all callers.
#[utoipa::path(
    get, path = "/v1/admin/permissions", tag = "permissions", impl_for = ReadPolicy, responses(
    (status = 200, description = "The policy.", body = PolicyView)
))]
pub async fn read_policy(_call: Call<op::ReadPolicy>) -> HandlerResult<PolicyView> {
    let data = Permission::ALL
        .iter()
        .map(|permission| PermissionView {
            permission: permission.name(),
            roles: Role::ALL
                .iter()
                .copied()
                .filter(|role| permission.granted_to_role(*role))
                .collect(),
            tiers: Tier::ALL
                .iter()
                .copied()
                .filter(|tier| permission.granted_to_tier(*tier))
                .collect(),
        })
        .collect();
    Ok(ok(PolicyView { data }))
}
