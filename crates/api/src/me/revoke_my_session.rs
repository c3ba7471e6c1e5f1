use postern_domain::id::SessionId;

use crate::{
    http::{Call, HandlerResult, Problem, no_content},
    operations::op::{self, RevokeMySession},
};

/// Revoke one of your sessions.
///
/// Its tokens are rejected from the next request on. Impersonations started in the session end as
/// well.
#[utoipa::path(
    delete, path = "/v1/me/sessions/{session}", tag = "me", impl_for = RevokeMySession, responses(
    (status = 204, description = "Session ended, by this request or earlier.")
))]
pub async fn revoke_my_session(
    call: Call<op::RevokeMySession>,
    session: SessionId,
) -> HandlerResult<()> {
    let (me, now) = (call.caller().accountable().clone(), call.context().now);
    let mut work = call.begin();
    let session =
        work.sessions().find_for_update(session, me.id).await?.ok_or_else(Problem::not_found)?;
    work.save(session.revoke(&me.email, now)).await?;
    work.commit(no_content()).await
}
