use postern_domain::{
    id::{ImpersonationId, OrgId, SessionId, UserId},
    mode::Mode,
};
use serde::{Deserialize, Serialize};

/// Claims of an access token. Roles and tiers are not included: they are read on each request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    /// Effective user.
    pub(super) sub: UserId,
    /// Client of the token (RFC 9068, 2.2). Not verified, because there is only one.
    #[serde(default)]
    pub(super) client_id: String,
    /// Session of the token.
    pub(super) sid: SessionId,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
    pub(super) jti: String,
    /// Staff member who acts, under impersonation (RFC 8693, 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) act: Option<ActorClaim>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) imp: Option<ImpersonationId>,
    /// Only org that the token is valid for, under impersonation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) org: Option<OrgId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<Mode>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorClaim {
    pub(super) sub: UserId,
    pub(super) email: String,
}
