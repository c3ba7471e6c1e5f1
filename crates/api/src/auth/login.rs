use postern_domain::{
    password::Password,
    session::{Session, sign_in_failed},
    text,
};
use postern_persistence::repository::unaudited::UnauditedWrite;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::TokensView;
use crate::{
    http::{Answer, Call, Code, Problem, Valid, ok, rules},
    operations::op::{self, Login},
};

/// Who signs in.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    /// The address of the account; capitals do not matter.
    #[validate(custom(function = "rules::email"))]
    #[schema(example = "owner@acme.example", format = "email", max_length = 254)]
    email: String,
    password: Password,
}

/// Sign in with e-mail address and password.
///
/// Opens a session. The answer and the time it takes are the same for an unknown address as for a wrong password. After
/// ten failures within an hour the account waits, except from an address where it is signed in already.
#[utoipa::path(post, path = "/v1/auth/login", tag = "identity", impl_for = Login, request_body = LoginBody, responses(
    (status = 200, description = "Signed in.", body = TokensView),
    (status = 401, description = "`invalid_credentials`: address or password is wrong."),
    (status = 429, description = "`too_many_attempts`: wait as long as `Retry-After` says."),
    (status = 503, description = "`unavailable`: more people are signing in than can be served in time.")
))]
pub async fn login(call: Call<op::Login>, body: Valid<LoginBody>) -> Answer<TokensView> {
    let LoginBody { email, password } = body.into_inner();
    let (email, request_info, now) = (text::email(&email), call.request_info(), call.context().now);
    let state = call.state();

    // Failures are counted while holding a turn at hashing, so that a burst outruns the count by no more than the number of
    // turns there are.
    let turn = state.hasher.turn().await?;
    let found = call
        .open()
        .await?
        .credentials()
        .for_sign_in(&email, request_info.ip, state.sign_in.since(now), now)
        .await?;
    if let Some(wait) = found.attempts.wait(state.sign_in.limits(), now) {
        return Err(Problem::too_many_attempts(wait));
    }
    let hash = found
        .account
        .as_ref()
        .map_or_else(|| state.hasher.nobody(), |account| &account.password_hash);
    let proved = turn.verify(&password, hash).await;

    let mut work = call.open_to_write().await?;
    let account = match found.account.filter(|_| proved) {
        // Hashing took its time: what it proved must still be so, or a password that was changed meanwhile would let them in.
        Some(account) if work.credentials().verify_unchanged_for_update(&account).await? => {
            Some(account)
        }
        _ => None,
    };
    let Some(account) = account else {
        work.record(sign_in_failed(&email)).await?;
        work.commit(ok(())).await?;
        return Err(Problem::new(Code::InvalidCredentials));
    };
    drop(turn);
    let change = Session::open(
        call.context().id(),
        &account.user,
        account.tier,
        now,
        state.tokens.refresh_lasts(),
        &request_info.source(),
    );
    let session = work.save(change).await?.0;
    let refresh = state.tokens.refresh()?;
    work.write_unaudited(UnauditedWrite::IssueRefreshToken {
        hash: refresh.hash(),
        session: session.id,
        at: now,
    })
    .await?;
    work.commit(ok(TokensView::new(&call, &session, &refresh))).await
}
