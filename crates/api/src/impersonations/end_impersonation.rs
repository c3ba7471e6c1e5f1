use postern_domain::{end_cause::EndCause, id::ImpersonationId, permission::Permission};

use crate::{
    http::{Call, HandlerResult, Problem, no_content},
    operations::op::{self, EndImpersonation},
};

/// End an impersonation.
///
/// Its access token is rejected from the next request on. The tiers `support` and `operations` can
/// end only their own impersonations, and get 404 for others; `engineering` and `super_admin` can
/// end all.
#[utoipa::path(
    delete, path = "/v1/admin/impersonations/{impersonation}", tag = "support",
    impl_for = EndImpersonation, responses(
    (status = 204, description = "Impersonation ended."),
    (status = 409, description = "`already_ended`: the impersonation has ended or expired.")
))]
pub async fn end_impersonation(
    call: Call<op::EndImpersonation>,
    impersonation: ImpersonationId,
) -> HandlerResult<()> {
    let (now, own_id, may_end_any) = (
        call.context().now,
        call.staff_caller().accountable().id,
        call.has_permission(Permission::ImpersonationEndAny),
    );
    let mut work = call.begin();
    let impersonation = work
        .impersonations()
        .find_for_update(impersonation)
        .await?
        // Hidden, as in `read_impersonation`.
        .filter(|impersonation| may_end_any || impersonation.staff.id == own_id)
        .ok_or_else(Problem::not_found)?;
    work.save(impersonation.end(EndCause::Ended, now)?).await?;
    work.commit(no_content()).await
}
