use chrono::{DateTime, Utc};
use postern_domain::{id::SessionId, scope, session::Session};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{http::Call, identity::RefreshToken, operations::Op};

/// Access token and refresh token of a session (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
pub struct TokensView {
    /// Access token. Send it as `Authorization: Bearer …`.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln", max_length = 2048)]
    access_token: String,
    /// Token type: always `Bearer`.
    #[schema(example = "Bearer", max_length = 40)]
    token_type: &'static str,
    /// Lifetime of the access token in seconds.
    #[schema(example = 600)]
    expires_in: i64,
    /// Refresh token, for a single use at `POST /v1/auth/refresh`.
    #[schema(example = "prt_4nGz6D0kqv5uK3m0b7cJpQ2vX9yT1sR8wE6fA5hLd0I", max_length = 200)]
    refresh_token: String,
    /// Time at which the session expires unless it is refreshed.
    refresh_expires_at: DateTime<Utc>,
    session_id: SessionId,
}

impl TokensView {
    pub fn new<O: Op<Scope = scope::Public>>(
        call: &Call<O>,
        session: &Session,
        refresh: &RefreshToken,
    ) -> Self {
        let tokens = &call.state().tokens;
        Self {
            access_token: tokens.access(session, call.context()),
            token_type: "Bearer",
            expires_in: tokens.access_lifetime().num_seconds(),
            refresh_token: refresh.reveal().to_owned(),
            refresh_expires_at: session.expires_at,
            session_id: session.id,
        }
    }
}
