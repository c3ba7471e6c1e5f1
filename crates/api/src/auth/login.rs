use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use postern_domain::{
    password::Password,
    session::{Session, sign_in_failed},
    text,
};
use postern_persistence::repository::{
    chores::Chore,
    credentials::{Failures, SignIn},
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::TokensView;
use crate::{
    config,
    http::{Answer, Call, Code, Problem, Valid, ok, rules},
    identity::RefreshToken,
    operations::op::{self, Login},
};

/// Who signs in.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    #[validate(custom(function = "rules::email"))]
    #[schema(example = "owner@acme.example", format = "email", max_length = 254)]
    email: String,
    password: Password,
}

/// Sign in with e-mail address and password.
///
/// Opens a session. The answer and the time it takes are the same for an unknown address as for a wrong password. After
/// ten failures within an hour (five for staff) the account waits, except from an address where it is signed in already.
#[utoipa::path(post, path = "/v1/auth/login", tag = "identity", impl_for = Login, request_body = LoginBody, responses(
    (status = 200, description = "Signed in.", body = TokensView),
    (status = 401, description = "`invalid_credentials`: address or password is wrong."),
    (status = 429, description = "`too_many_attempts`: wait as long as `Retry-After` says."),
    (status = 503, description = "`unavailable`: more people are signing in than can be served in time.")
))]
pub async fn login(call: Call<op::Login>, body: Valid<LoginBody>) -> Answer<TokensView> {
    let LoginBody { email, password } = body.into_inner();
    let (email, facts, now) = (text::email(&email), call.facts(), call.stamp().now);
    let state = call.state();
    let window = TimeDelta::minutes(state.sign_in.window_minutes);

    // Failures are counted while holding a turn at hashing, so that no burst outruns the count.
    let turn = state.hasher.turn().await?;
    let found = call.open().await?.credentials().for_sign_in(&email, facts.ip, now - window, now).await?;
    refuse_after_failures(&found, &state.sign_in, now)?;
    let hash = found.account.as_ref().map_or_else(|| state.hasher.nobody(), |account| &account.password_hash);
    let proved = turn.verify(&password, hash).await;

    let mut work = call.open_to_write().await?;
    let account = found.account.filter(|account| proved && account.user.suspended_at.is_none());
    let Some(account) = account else {
        work.record(sign_in_failed(&email)).await?;
        work.commit(ok(())).await?;
        return Err(Problem::new(Code::InvalidCredentials));
    };
    drop(turn);
    let change = Session::open(call.stamp().id(), &account.user, account.tier, now, state.tokens.refresh_lasts(), &facts.source());
    let session = work.save(change).await?.0;
    let refresh = state.tokens.refresh()?;
    work.housekeeping(Chore::IssueRefreshToken { hash: refresh.hash(), session: session.id, at: now }).await?;
    work.commit(ok(tokens(&call, &session, &refresh))).await
}

pub fn tokens<O: crate::operations::Op<Scope = postern_domain::operation::Public>>(
    call: &Call<O>,
    session: &Session,
    refresh: &RefreshToken,
) -> TokensView {
    let tokens = &call.state().tokens;
    TokensView {
        access_token: tokens.access(session, call.stamp()),
        token_type: "Bearer",
        expires_in: tokens.access_lasts().num_seconds(),
        refresh_token: refresh.reveal().to_owned(),
        refresh_expires_at: session.expires_at,
        session_id: session.id,
    }
}

fn refuse_after_failures(found: &SignIn, limits: &config::SignIn, now: DateTime<Utc>) -> Result<(), Problem> {
    let staff = found.account.as_ref().is_some_and(|account| account.tier.is_some());
    let per_account = if staff { limits.failures_per_staff_account } else { limits.failures_per_account };
    // Strangers cannot lock anybody out of where they are signed in already.
    let of_account = if found.known_here { found.by_account_from_here } else { found.by_account };
    for (Failures { count, first }, limit) in [(of_account, per_account), (found.from_here, limits.failures_per_address)] {
        if count >= limit {
            let free_at = first.unwrap_or(now) + TimeDelta::minutes(limits.window_minutes);
            let wait = (free_at - now).num_seconds().max(1).unsigned_abs();
            return Err(Problem::new(Code::TooManyAttempts).retry_after(Duration::from_secs(wait)));
        }
    }
    Ok(())
}

impl From<crate::identity::Busy> for Problem {
    fn from(busy: crate::identity::Busy) -> Self {
        tracing::warn!("{busy}");
        Self::new(Code::Unavailable).detail(busy.to_string()).retry_after(Duration::from_secs(5))
    }
}
