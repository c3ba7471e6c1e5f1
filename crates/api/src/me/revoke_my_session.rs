use postern_domain::{Id, session::Session};
use postern_persistence::repository::impersonations::ImpersonationsOf;

use crate::{
    http::{Answer, Call, Problem, no_content},
    operations::op::{self, RevokeMySession},
};

/// End one of my sessions.
///
/// Signs that device out at once.
#[utoipa::path(delete, path = "/v1/me/sessions/{session}", tag = "me", impl_for = RevokeMySession, responses(
    (status = 204, description = "It has ended, now or before.")
))]
pub async fn revoke_my_session(
    call: Call<op::RevokeMySession>,
    session: Id<Session>,
) -> Answer<()> {
    let (me, now) = (call.caller().accountable().clone(), call.context().now);
    let mut work = call.begin();
    let session =
        work.sessions().find_for_update(session, me.id).await?.ok_or_else(Problem::not_found)?;
    let session = work.save(session.revoke(&me.email, now)).await?;
    work.end_impersonations(ImpersonationsOf::Session(session.id)).await?;
    work.commit(no_content()).await
}
