//! Access tokens (RFC 9068, RFC 8725) with one algorithm, type, issuer and audience. Expiry
//! has no leeway for clocks. Refresh tokens are random and contain no data.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use postern_domain::{
    Id,
    clock::RequestContext,
    id::{SessionId, UserId},
    impersonation::Impersonation,
    session::Session,
};
use postern_keystore::KeyRing;
use postern_persistence::pre_auth::{Bearer, ImpersonationClaims};

use super::{
    claims::{ActorClaim, Claims},
    eddsa,
    signature_cache::{SignatureCache, Signed},
};
use crate::config;

const TYPE: &str = "at+jwt";
/// `client_id` of all tokens: all front ends for signing in belong to Postern.
const CLIENT: &str = "postern";
/// Maximum length of an access token in bytes. Longer tokens are rejected.
const MAX_LENGTH: usize = 2048;

/// Reason that a request has no valid access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    Missing,
    Invalid,
    Expired,
    ImpersonationExpired,
}

/// Issues and verifies access tokens.
pub struct Tokens {
    keys: KeyRing,
    verified: SignatureCache,
    issuer: String,
    audience: String,
    /// Seconds by which a token may come from the future.
    clock_leeway: i64,
    access: Duration,
    refresh: Duration,
}

impl Tokens {
    pub fn new(keys: KeyRing, issuer: &str, config: &config::Tokens) -> Self {
        eddsa::install();
        Self {
            keys,
            verified: SignatureCache::default(),
            issuer: issuer.to_owned(),
            audience: config.audience.clone(),
            clock_leeway: config.clock_leeway_seconds,
            access: Duration::minutes(config.access_minutes),
            refresh: Duration::days(config.refresh_days),
        }
    }

    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Lifetime of an access token.
    pub const fn access_lifetime(&self) -> Duration {
        self.access
    }

    /// Lifetime of a session after its last refresh.
    pub const fn refresh_lifetime(&self) -> Duration {
        self.refresh
    }

    /// Issues an access token for a session.
    pub fn access(&self, session: &Session, context: &RequestContext) -> String {
        self.sign(session.user_id, session.id, context, context.now + self.access, |_| {})
    }

    /// Issues the only token of an impersonation. It expires with the impersonation and cannot be
    /// refreshed.
    pub fn impersonation(&self, impersonation: &Impersonation, context: &RequestContext) -> String {
        let Impersonation { id, org, staff, staff_session_id, user, mode, expires_at, .. } =
            impersonation;
        self.sign(user.id, *staff_session_id, context, *expires_at, |claims| {
            claims.act = Some(ActorClaim { sub: staff.id, email: staff.email.clone() });
            claims.imp = Some(*id);
            claims.org = Some(org.id);
            claims.mode = Some(*mode);
        })
    }

    fn sign(
        &self,
        sub: UserId,
        sid: SessionId,
        context: &RequestContext,
        exp: DateTime<Utc>,
        more: impl FnOnce(&mut Claims),
    ) -> String {
        let (iss, aud) = (self.issuer.clone(), self.audience.clone());
        let (iat, exp) = (context.now.timestamp(), exp.timestamp());
        let jti = Id::<()>::uuid(context.id()).simple().to_string();
        let client_id = CLIENT.to_owned();
        let mut claims = Claims {
            iss,
            aud,
            sub,
            client_id,
            sid,
            iat,
            nbf: iat,
            exp,
            jti,
            act: None,
            imp: None,
            org: None,
            mode: None,
        };
        more(&mut claims);
        let key = self.keys.signing(context.now);
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(key.id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, &eddsa::encoding_key(&key.key))
            .expect("claims can be signed with a key of the ring")
    }

    /// Verifies the value of an `Authorization` header and returns the identity of its token. Does
    /// not check whether its session is active.
    pub fn bearer(
        &self,
        authorization: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Bearer, TokenError> {
        let token = authorization
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(TokenError::Missing)?;
        let signed = self.verify(token, now).ok_or(TokenError::Invalid)?;
        let claims = &signed.claims;
        if claims.exp <= now.timestamp() {
            return Err(match claims.imp {
                Some(_) => TokenError::ImpersonationExpired,
                None => TokenError::Expired,
            });
        }
        match *claims {
            Claims { sub, sid, act: None, imp: None, org: None, mode: None, .. } => {
                Ok(Bearer { user: sub, session: sid, impersonation: None })
            }
            Claims {
                sub,
                sid,
                act: Some(ref act),
                imp: Some(impersonation),
                org: Some(org),
                mode: Some(_),
                ..
            } => Ok(Bearer {
                user: act.sub,
                session: sid,
                impersonation: Some(ImpersonationClaims { id: impersonation, target: sub, org }),
            }),
            _ => Err(TokenError::Invalid),
        }
    }

    /// Verifies a token, but not its expiry. `None` if it is invalid or not valid yet, or its key
    /// is retired.
    fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Arc<Signed>> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let signed = if let Some(signed) = self.verified.get(token) {
            self.keys.verifying(&signed.key_id, now)?;
            signed
        } else {
            let signed = Arc::new(self.verify_signature(token, now)?);
            self.verified.put(token, Arc::clone(&signed));
            signed
        };
        let (claims, seconds) = (&signed.claims, now.timestamp());
        // Another replica, with a clock that is ahead, may have issued it (RFC 7519, 4.1.5).
        let latest = seconds + self.clock_leeway;
        (claims.nbf <= latest && claims.iat <= latest && claims.iat < claims.exp).then_some(signed)
    }

    fn verify_signature(&self, token: &str, now: DateTime<Utc>) -> Option<Signed> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        // Reject headers that contain a key or the URL of one (RFC 8725, 3.10).
        let plain = header.jwk.is_none()
            && header.jku.is_none()
            && header.x5u.is_none()
            && header.x5c.is_none();
        if !plain || header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let key_id = header.kid?;
        let key = self.keys.verifying(&key_id, now)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.audience]);
        rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // Times are checked by the caller, with the server's clock.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let public_key = eddsa::decoding_key(&key.key);
        let claims = jsonwebtoken::decode::<Claims>(token, &public_key, &rules).ok()?.claims;
        Some(Signed { claims, key_id })
    }
}
