use postern_domain::{Id, actor::Caller, impersonation::Impersonation, permission::Permission};

use crate::{
    http::{Answer, Call, Code, Problem, no_content},
    operations::op::{self, EndImpersonation},
};

/// End an impersonation.
///
/// Its token is refused from the next request on. Support and operations end their own; engineering and above any.
#[utoipa::path(delete, path = "/v1/admin/impersonations/{impersonation}", tag = "support", impl_for = EndImpersonation, responses(
    (status = 204, description = "Ended."),
    (status = 409, description = "`already_ended`: it has ended, or expired, before.")
))]
pub async fn end_impersonation(call: Call<op::EndImpersonation>, impersonation: Id<Impersonation>) -> Answer<()> {
    let now = call.stamp().now;
    let mut work = call.begin();
    let impersonation = work.impersonations().locked(impersonation).await?.ok_or_else(Problem::not_found)?;
    let own = work.caller().is_some_and(|caller| caller.accountable().id == impersonation.staff_user_id);
    let any = work.caller().and_then(Caller::effective_tier).is_some_and(|tier| Permission::ImpersonationEndAny.is_of_tier(tier));
    if !own && !any {
        let needed = format!("to end somebody else's, this needs the permission {}", Permission::ImpersonationEndAny);
        return Err(Problem::new(Code::PermissionDenied).detail(needed));
    }
    work.save(impersonation.end(now)?).await?;
    work.commit(no_content()).await
}
