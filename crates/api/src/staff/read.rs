use postern_domain::{
    permission::Permission,
    role::Role,
    staff::{StaffMember, Tier},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Answer, Call, Listed, Paging, ok},
    operations::op::{self, ListStaff, ReadPolicy},
};

/// List the staff.
///
/// Everybody who has a tier, with since when.
#[utoipa::path(get, path = "/v1/admin/staff", tag = "staff", impl_for = ListStaff, params(Paging), responses(
    (status = 200, description = "A page of staff.", body = StaffPage)
))]
pub async fn list_staff(call: Call<op::ListStaff>, paging: Paging) -> Answer<StaffPage> {
    let staff = call.staff().page(call.page(&paging)?).await?;
    Ok(call.listed(&paging, staff))
}

pub type StaffPage = Listed<StaffMember>;

/// The whole policy of rights.
#[derive(Serialize, ToSchema)]
pub struct PolicyView {
    /// Every permission there is.
    data: Vec<PermissionView>,
}

/// One permission, and who has it.
#[derive(Serialize, ToSchema)]
pub struct PermissionView {
    /// What is permitted.
    #[schema(value_type = Permission)]
    permission: &'static str,
    /// The roles that have it in their org.
    roles: Vec<Role>,
    /// The tiers of the vendor's staff that have it in the staff portal.
    tiers: Vec<Tier>,
}

/// Read the policy.
///
/// Every permission there is, with the roles and the tiers that have it. The same for everybody.
#[utoipa::path(get, path = "/v1/admin/permissions", tag = "staff", impl_for = ReadPolicy, responses(
    (status = 200, description = "The policy.", body = PolicyView)
))]
pub async fn read_policy(_call: Call<op::ReadPolicy>) -> Answer<PolicyView> {
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
