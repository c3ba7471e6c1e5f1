use postern_domain::{
    password::Password,
    scope,
    session::{Session, sign_in_failed},
    text,
};
use postern_persistence::repository::{credentials::Account, unaudited::UnauditedWrite};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::tokens_view::TokensView;
use crate::{
    http::{Call, Code, HandlerResult, Problem, Unit, Valid, ok, rules},
    identity::RefreshToken,
    operations::op::{self, Login},
};

/// Sign-in credentials.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    /// E-mail address of the account. Not case-sensitive; surrounding spaces are ignored.
    #[validate(custom(function = "rules::email"))]
    #[schema(example = "owner@acme.example", format = "email", max_length = 254)]
    email: String,
    password: Password,
}

/// Sign in with e-mail address and password.
///
/// Opens a session. The response and its duration are the same for an unknown address and for a
/// wrong password. After ten failures in an hour the account is rate limited, except from IP
/// addresses with an active session. After 300 failures in an hour, for any accounts, the IP
/// address is rate limited. IPv6 addresses count by their /64 network.
#[utoipa::path(
    post, path = "/v1/auth/login", tag = "identity", impl_for = Login, request_body = LoginBody,
    responses(
    (status = 200, description = "Signed in.", body = TokensView),
    (status = 401, description = "`invalid_credentials`: the address or the password is wrong."),
    (status = 429, description = "`too_many_attempts`: wait as long as `Retry-After` says."),
    (status = 503, description = "`unavailable`: too many concurrent sign-ins. Wait as long \
        as `Retry-After` says.")
))]
pub async fn login(call: Call<op::Login>, body: Valid<LoginBody>) -> HandlerResult<TokensView> {
    let LoginBody { email, password } = body.into_inner();
    let (email, request_info, now) = (text::email(&email), call.request_info(), call.context().now);
    let state = call.state();

    // Failures are counted while holding a hash permit, so that a burst exceeds the rate limit by
    // at most the number of permits.
    let permit = state.hasher.acquire().await?;
    let sign_in = call
        .open()
        .await?
        .credentials()
        .for_sign_in(&email, request_info.ip, state.sign_in.since(now), now)
        .await?;
    if let Some(wait) = sign_in.attempts.wait(state.sign_in.limits(), now) {
        return Err(Problem::too_many_attempts(wait));
    }
    let hash = sign_in
        .account
        .as_ref()
        .map_or_else(|| state.hasher.dummy_hash(), |account| &account.password_hash);
    let verified = permit.verify(&password, hash).await;

    let mut work = call.open_to_write().await?;
    let account = match sign_in.account.filter(|_| verified) {
        // Check again under a lock: the password may have been changed while it was verified.
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
    drop(permit);
    open_session(&call, work, &account).await
}

async fn open_session(
    call: &Call<op::Login>,
    mut work: Unit<scope::Public>,
    account: &Account,
) -> HandlerResult<TokensView> {
    let now = call.context().now;
    let change = Session::open(
        call.context().id(),
        &account.user,
        account.tier,
        now,
        call.state().tokens.refresh_lifetime(),
        &call.request_info().source(),
    );
    let session = work.save(change).await?.0;
    let refresh = RefreshToken::generate()?;
    work.write_unaudited(UnauditedWrite::IssueRefreshToken {
        hash: refresh.hash(),
        session: session.id,
        at: now,
    })
    .await?;
    work.commit(ok(TokensView::new(call, &session, &refresh))).await
}
