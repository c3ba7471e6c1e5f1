use postern_domain::{impersonation::Impersonation, permission::Permission};

use crate::{
    http::{Call, HandlerResult, Listed, Paging},
    operations::op::{self, ListImpersonations},
};

/// List impersonations.
///
/// Returns active, ended and expired impersonations, newest first. The tiers `support` and
/// `operations` see only their own; `engineering` and `super_admin` see all.
#[utoipa::path(
    get, path = "/v1/admin/impersonations", tag = "support", impl_for = ListImpersonations,
    responses(
    (status = 200, description = "A page of impersonations.", body = ImpersonationPage)
))]
pub async fn list_impersonations(
    call: Call<op::ListImpersonations>,
    paging: Paging,
) -> HandlerResult<ImpersonationPage> {
    let staff_user = if call.has_permission(Permission::ImpersonationEndAny) {
        None
    } else {
        Some(call.staff_caller().accountable().id)
    };
    let impersonations = call.impersonations().page(staff_user, call.page(&paging)?).await?;
    Ok(call.listed(&paging, impersonations))
}

pub type ImpersonationPage = Listed<Impersonation>;
