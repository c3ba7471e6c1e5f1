use postern_persistence::repository::unaudited::UnauditedWrite;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::tokens_view::TokensView;
use crate::{
    http::{Call, Code, HandlerResult, Problem, Valid, ok},
    identity::RefreshToken,
    operations::op::{self, Refresh},
};

/// Request to exchange a refresh token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    /// Refresh token from the last sign-in or refresh of the session.
    #[schema(example = "prt_4nGz6D0kqv5uK3m0b7cJpQ2vX9yT1sR8wE6fA5hLd0I", max_length = 4096)]
    #[validate(length(max = 4096, message = "at most 4096 characters"))]
    refresh_token: String,
}

/// Refresh an access token.
///
/// Exchanges a refresh token for a new access token and a new refresh token. Each refresh token can
/// be used once: a second use ends the session, because the token may have been stolen (RFC 9700,
/// 4.14.2). This includes concurrent requests with the same token: send one at a time.
#[utoipa::path(
    post, path = "/v1/auth/refresh", tag = "identity", impl_for = Refresh,
    request_body = RefreshBody, responses(
    (status = 200, description = "New access token and refresh token.", body = TokensView),
    (status = 401, description = "`invalid_refresh_token`: the token is unknown or has been used, \
        the session has ended, or the user is suspended."),
    (status = 503, description = "`unavailable`: wait as long as `Retry-After` says.")
))]
pub async fn refresh(
    call: Call<op::Refresh>,
    body: Valid<RefreshBody>,
) -> HandlerResult<TokensView> {
    let refresh_token = RefreshToken::from_client(body.into_inner().refresh_token);
    let (state, now) = (call.state(), call.context().now);
    let invalid = || Problem::new(Code::InvalidRefreshToken);

    let mut work = call.open_to_write().await?;
    let issued =
        work.sessions().by_refresh_token(&refresh_token.hash()).await?.ok_or_else(invalid)?;
    if !issued.session.is_live(now) || issued.user.suspended_at.is_some() {
        return Err(invalid());
    }
    if issued.used {
        work.save(issued.session.refresh_reused(&issued.user, now)).await?;
        work.commit(ok(())).await?;
        return Err(invalid());
    }
    let session = issued.session.refreshed(now, state.tokens.refresh_lifetime());
    let successor = RefreshToken::generate()?;
    let rotated = UnauditedWrite::RotateRefreshToken {
        used: refresh_token.hash(),
        successor: successor.hash(),
        session: session.clone(),
    };
    work.write_unaudited(rotated).await?;
    work.commit(ok(TokensView::new(&call, &session, &successor))).await
}
