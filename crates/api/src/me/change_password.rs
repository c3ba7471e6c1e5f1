use std::sync::Arc;

use postern_domain::{credential::NewPassword, password::Password, session::sign_in_failed};
use postern_persistence::repository::impersonations::ImpersonationsOf;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Answer, Call, Code, Problem, Valid, no_content},
    operations::op::{self, ChangePassword},
};

/// The password, and what it is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordBody {
    /// The one they sign in with now.
    current_password: Password,
    /// 12 to 128 characters of any kind, but none that attackers try first.
    new_password: Password,
}

/// Change my password.
///
/// Ends all other sessions of yours; the one you are in goes on. A wrong current password counts as a failed sign-in.
#[utoipa::path(post, path = "/v1/me/password", tag = "me", impl_for = ChangePassword, request_body = ChangePasswordBody, responses(
    (status = 204, description = "Changed."),
    (status = 403, description = "`wrong_password`: the current password is wrong."),
    (status = 409, description = "`conflict`: it was changed meanwhile."),
    (status = 429, description = "`too_many_attempts`: wait as long as `Retry-After` says."),
    (status = 422, description = "`weak_password`: attackers try it first, or it is not 12 to 128 characters long.")
))]
pub async fn change_password(
    call: Call<op::ChangePassword>,
    body: Valid<ChangePasswordBody>,
) -> Answer<()> {
    let ChangePasswordBody { current_password, new_password } = body.into_inner();
    let me = call.caller().accountable().clone();
    new_password.check(&me.email).map_err(|weak| {
        Problem::new(Code::WeakPassword)
            .field("/new_password", "weak", weak.to_string())
            .detail(weak.to_string())
    })?;
    let (state, now, ip) =
        (Arc::clone(call.shared()), call.context().now, call.context().source.ip);

    // Whoever holds a stolen token gets no more guesses at the password than at the front door.
    let found =
        call.credentials().for_sign_in(&me.email, ip, state.sign_in.since(now), now).await?;
    if let Some(wait) = found.attempts.wait(state.sign_in.limits(), now) {
        return Err(Problem::too_many_attempts(wait));
    }
    let known = found.account.ok_or_else(Problem::not_found)?;

    // Hashing takes its time, and nobody should wait for our transaction meanwhile.
    let against = known.password_hash.clone();
    let hashing = async move {
        let turn = state.hasher.turn().await?;
        let proved = turn.verify(&current_password, &against).await;
        Ok(if proved { Some(turn.hash(&new_password).await) } else { None })
    };
    let (call, hash) = call.meanwhile(hashing).await?;
    let Some(hash) = hash else {
        let failed = sign_in_failed(&me.email).with_actor(call.grant().actor().clone());
        call.record_in_own_tx(failed).await?;
        return Err(Problem::new(Code::WrongPassword));
    };

    let change = NewPassword::by(call.caller(), hash, call.context().now);
    let mut work = call.begin();
    if !work.credentials().verify_unchanged_for_update(&known).await? {
        return Err(Problem::new(Code::Conflict));
    }
    let changed = work.save(change).await?;
    work.end_impersonations(ImpersonationsOf::OtherSessions {
        of: changed.user,
        kept_session: changed.kept_session,
    })
    .await?;
    work.commit(no_content()).await
}
