use crate::{
    http::{Call, HandlerResult, Problem, no_content},
    operations::op::{self, Logout},
};

/// Sign out.
///
/// Ends the session. Its access tokens and refresh token are rejected from the next request on.
/// Impersonations started in the session end as well.
#[utoipa::path(
    post, path = "/v1/auth/logout", tag = "identity", impl_for = Logout, responses(
    (status = 204, description = "Signed out.")
))]
pub async fn logout(call: Call<op::Logout>) -> HandlerResult<()> {
    let (id, me, now) =
        (call.caller().session(), call.caller().accountable().clone(), call.context().now);
    let mut work = call.begin();
    let session =
        work.sessions().find_for_update(id, me.id).await?.ok_or_else(Problem::not_found)?;
    work.save(session.sign_out(&me.email, now)).await?;
    work.commit(no_content()).await
}
