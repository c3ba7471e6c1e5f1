use std::sync::Arc;

use postern_domain::{credential::NewPassword, password::Password, session::sign_in_failed};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Call, Code, FieldCode, HandlerResult, Problem, Valid, no_content},
    operations::op::{self, ChangePassword},
};

/// Current and new password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordBody {
    /// Current password.
    current_password: Password,
    /// New password: 12 to 128 characters of any kind. Common passwords, and passwords derived from
    /// your e-mail address or the product name, are rejected.
    new_password: Password,
}

/// Change your password.
///
/// Ends all your other sessions; the current session continues. A wrong current password counts as
/// a failed sign-in and is recorded as `auth.login_failed`.
#[utoipa::path(
    post, path = "/v1/me/password", tag = "me", impl_for = ChangePassword,
    request_body = ChangePasswordBody, responses(
    (status = 204, description = "Password changed."),
    (status = 403, description = "`wrong_password`: the current password is wrong."),
    (status = 409, description = "`conflict`: another request has changed the password."),
    (status = 429, description = "`too_many_attempts`: wait as long as `Retry-After` says."),
    (status = 422, description = "`weak_password`: the new password is not 12 to 128 characters \
        long, is common, or is derived from your e-mail address or the product name.")
))]
pub async fn change_password(
    call: Call<op::ChangePassword>,
    body: Valid<ChangePasswordBody>,
) -> HandlerResult<()> {
    let ChangePasswordBody { current_password, new_password } = body.into_inner();
    let me = call.caller().accountable().clone();
    new_password.check(&me.email).map_err(|weak| {
        Problem::new(Code::WeakPassword)
            .field("/new_password", FieldCode::Weak, weak.to_string())
            .detail(weak.to_string())
    })?;
    let (state, now, ip) =
        (Arc::clone(call.shared()), call.context().now, call.context().source.ip);

    // The rate limit for sign-ins applies here too, so that a stolen token allows no more guesses.
    let sign_in =
        call.credentials().for_sign_in(&me.email, ip, state.sign_in.since(now), now).await?;
    if let Some(wait) = sign_in.attempts.wait(state.sign_in.limits(), now) {
        return Err(Problem::too_many_attempts(wait));
    }
    let account = sign_in.account.ok_or_else(Problem::not_found)?;

    // Hash without an open transaction, so that other requests do not wait for it.
    let current_hash = account.password_hash.clone();
    let hashing = async move {
        let permit = state.hasher.acquire().await?;
        let verified = permit.verify(&current_password, &current_hash).await;
        Ok(if verified { Some(permit.hash(&new_password).await) } else { None })
    };
    let (call, hash) = call.release_during(hashing).await?;
    let Some(hash) = hash else {
        let failure = sign_in_failed(&me.email).with_actor(call.grant().actor().clone());
        call.record_in_own_tx(failure).await?;
        return Err(Problem::new(Code::WrongPassword));
    };

    let change = NewPassword::by(call.caller(), hash, call.context().now);
    let mut work = call.begin();
    if !work.credentials().verify_unchanged_for_update(&account).await? {
        return Err(Problem::new(Code::Conflict));
    }
    work.save(change).await?;
    work.commit(no_content()).await
}
