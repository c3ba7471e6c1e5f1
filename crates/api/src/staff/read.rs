use postern_domain::staff::StaffMember;

use crate::{
    http::{Call, HandlerResult, Listed, Paging},
    operations::op::{self, ListStaff},
};

/// List staff.
///
/// Returns all staff, with their tier and the time at which it was assigned.
#[utoipa::path(
    get, path = "/v1/admin/staff", tag = "staff", impl_for = ListStaff, responses(
    (status = 200, description = "A page of staff.", body = StaffPage)
))]
pub async fn list_staff(call: Call<op::ListStaff>, paging: Paging) -> HandlerResult<StaffPage> {
    let staff = call.staff().page(call.page(&paging)?).await?;
    Ok(call.listed(&paging, staff))
}

pub type StaffPage = Listed<StaffMember>;
