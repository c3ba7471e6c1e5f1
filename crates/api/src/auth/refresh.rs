use postern_persistence::repository::{
    impersonations::ImpersonationsOf, unaudited::UnauditedWrite,
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::TokensView;
use crate::{
    http::{Answer, Call, Code, Problem, Valid, ok},
    identity::RefreshToken,
    operations::op::{self, Refresh},
};

/// The one token that is taken for two.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    /// The refresh token given out last.
    #[schema(example = "prt_4nGz6D0kqv5uK3m0b7cJpQ2vX9yT1sR8wE6fA5hLd0I", max_length = 4096)]
    #[validate(length(max = 4096, message = "at most 4096 characters"))]
    refresh_token: String,
}

/// Get a fresh access token.
///
/// Takes the refresh token in exchange for a new one. A refresh token that comes back after it was used ends its whole
/// session, because somebody else must hold a copy of it (RFC 9700, 4.14.2); that is true as well of two requests that
/// arrive at once with the same token, so keep to one.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "identity", impl_for = Refresh, request_body = RefreshBody, responses(
    (status = 200, description = "A fresh pair of tokens.", body = TokensView),
    (status = 401, description = "`invalid_refresh_token`: unknown, used before, or its session has ended."),
    (status = 503, description = "`unavailable`: try again.")
))]
pub async fn refresh(call: Call<op::Refresh>, body: Valid<RefreshBody>) -> Answer<TokensView> {
    let identity = RefreshToken::identity(body.into_inner().refresh_token);
    let (state, now) = (call.state(), call.context().now);
    let invalid = || Problem::new(Code::InvalidRefreshToken);

    let mut work = call.open_to_write().await?;
    let issued = work.sessions().by_refresh_token(&identity.hash()).await?.ok_or_else(invalid)?;
    if !issued.session.is_live(now) || issued.user.suspended_at.is_some() {
        return Err(invalid());
    }
    if issued.used {
        let session = work.save(issued.session.refresh_reused(&issued.user, now)).await?;
        work.end_impersonations(ImpersonationsOf::Session(session.id)).await?;
        work.commit(ok(())).await?;
        return Err(invalid());
    }
    let session = issued.session.refreshed(now, state.tokens.refresh_lasts());
    let successor = state.tokens.refresh()?;
    let rotated = UnauditedWrite::RotateRefreshToken {
        used: identity.hash(),
        successor: successor.hash(),
        session: session.clone(),
    };
    work.write_unaudited(rotated).await?;
    work.commit(ok(TokensView::new(&call, &session, &successor))).await
}
