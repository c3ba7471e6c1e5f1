use postern_domain::{credential::PasswordChanged, password::Password};
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    http::{Answer, Call, Code, Problem, Valid, no_content},
    operations::op::{self, ChangePassword},
};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordBody {
    current_password: Password,
    /// 12 to 128 characters of any kind, but none that attackers try first.
    new_password: Password,
}

/// Change my password.
///
/// Ends all other sessions of yours; the one you are in goes on.
#[utoipa::path(post, path = "/v1/me/password", tag = "me", impl_for = ChangePassword, request_body = ChangePasswordBody, responses(
    (status = 204, description = "Changed."),
    (status = 409, description = "`conflict`: it was changed meanwhile."),
    (status = 422, description = "`weak_password`, or the body is not acceptable.")
))]
pub async fn change_password(call: Call<op::ChangePassword>, body: Valid<ChangePasswordBody>) -> Answer<()> {
    let ChangePasswordBody { current_password, new_password } = body.into_inner();
    let me = call.caller().accountable().clone();
    new_password
        .check(&me.email)
        .map_err(|weak| Problem::new(Code::WeakPassword).field("/new_password", "weak", weak.to_string()).detail(weak.to_string()))?;
    let known = call.credentials().password_hash(me.id).await?.ok_or_else(Problem::not_found)?;

    // Hashing takes its time, and nobody should wait for our transaction meanwhile.
    let state = std::sync::Arc::clone(call.shared());
    let (against, new) = (known.clone(), new_password);
    let hashing = async move {
        let turn = state.hasher.turn().await?;
        let proved = turn.verify(&current_password, &against).await;
        if proved { Ok(turn.hash(&new).await) } else { Err(Problem::new(Code::WrongPassword)) }
    };
    let (call, hash) = call.meanwhile(hashing).await?;

    let change = PasswordChanged::by(call.caller(), hash, call.stamp().now);
    let mut work = call.begin();
    let present = work.credentials().locked_password_hash(me.id).await?.ok_or_else(Problem::not_found)?;
    if present.expose_secret() != known.expose_secret() {
        return Err(Problem::new(Code::Conflict));
    }
    work.save(change).await?;
    work.commit(no_content()).await
}
