use postern_domain::{impersonation::Impersonation, permission::Permission};

use crate::{
    http::{Answer, Call, Listed, Paging},
    operations::op::{self, ListImpersonations},
};

/// List impersonations.
///
/// Present and past ones, the last first. Support and operations see their own; engineering and above all.
#[utoipa::path(get, path = "/v1/admin/impersonations", tag = "support", impl_for = ListImpersonations, params(Paging), responses(
    (status = 200, description = "A page of impersonations.", body = ImpersonationPage)
))]
pub async fn list_impersonations(
    call: Call<op::ListImpersonations>,
    paging: Paging,
) -> Answer<ImpersonationPage> {
    let of = if call.has_permission(Permission::ImpersonationEndAny) {
        None
    } else {
        Some(call.staff_caller().accountable().id)
    };
    let impersonations = call.impersonations().page(of, call.page(&paging)?).await?;
    Ok(call.listed(&paging, impersonations))
}

pub type ImpersonationPage = Listed<Impersonation>;
