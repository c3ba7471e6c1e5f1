//! Access tokens (RFC 9068, RFC 8725) with one algorithm, type, issuer and audience, and without
//! leeway for clocks. Refresh tokens are random and contain no data.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use postern_domain::{
    Id,
    clock::RequestContext,
    id::{ImpersonationId, OrgId, SessionId, UserId},
    impersonation::{Impersonation, Mode},
    session::Session,
};
use postern_persistence::pre_auth::{Bearer, ImpersonationClaims};
use ring::{
    digest,
    rand::{SecureRandom, SystemRandom},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    eddsa,
    keys::KeyRing,
    verified::{Signed, Verified},
};
use crate::{
    config,
    http::{Code, Problem, authorization},
};

const TYPE: &str = "at+jwt";
/// `client_id` of all tokens: all front ends for signing in belong to Postern.
const CLIENT: &str = "postern";
/// Maximum length of an access token in bytes. Longer tokens are rejected.
const LONGEST: usize = 2048;

/// Claims of an access token. Roles and tiers are not included: they are read on each request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    iss: String,
    aud: String,
    /// Effective user.
    sub: UserId,
    /// Client of the token (RFC 9068, 2.2). Not verified, because there is only one.
    #[serde(default)]
    client_id: String,
    /// Session of the token.
    sid: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    /// Staff member who acts, under impersonation (RFC 8693, 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<ActorClaim>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    imp: Option<ImpersonationId>,
    /// Only org that the token is valid for, under impersonation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org: Option<OrgId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorClaim {
    sub: UserId,
    email: String,
}

/// Issues and verifies tokens.
pub struct Tokens {
    keys: KeyRing,
    verified: Verified,
    issuer: String,
    audience: String,
    access: Duration,
    refresh: Duration,
    random: SystemRandom,
}

/// Refresh token in clear. It implements neither `Debug` nor `Serialize`.
pub struct RefreshToken(SecretString);

impl Tokens {
    pub fn new(keys: KeyRing, issuer: &str, config: &config::Tokens) -> Self {
        eddsa::install();
        Self {
            keys,
            verified: Verified::default(),
            issuer: issuer.to_owned(),
            audience: config.audience.clone(),
            access: Duration::minutes(config.access_minutes),
            refresh: Duration::days(config.refresh_days),
            random: SystemRandom::new(),
        }
    }

    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Lifetime of an access token.
    pub const fn access_lasts(&self) -> Duration {
        self.access
    }

    /// Lifetime of a session after its last refresh.
    pub const fn refresh_lasts(&self) -> Duration {
        self.refresh
    }

    /// Issues an access token for a session.
    pub fn access(&self, session: &Session, context: &RequestContext) -> String {
        self.sign(session.user_id, session.id, context, context.now + self.access, |_| {})
    }

    /// Issues the only token of an impersonation. It expires with the impersonation and cannot be
    /// refreshed.
    pub fn impersonation(&self, impersonation: &Impersonation, context: &RequestContext) -> String {
        let Impersonation {
            id,
            org,
            staff_user_id,
            staff_email,
            staff_session_id,
            target_user_id,
            mode,
            expires_at,
            ..
        } = impersonation;
        self.sign(*target_user_id, *staff_session_id, context, *expires_at, |claims| {
            claims.act = Some(ActorClaim { sub: *staff_user_id, email: staff_email.clone() });
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
        jsonwebtoken::encode(&header, &claims, &key.signing)
            .expect("claims can be signed with a key of the ring")
    }

    /// Verifies the bearer token of a request and returns its identity. Does not check whether its
    /// session is active.
    pub fn bearer(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Result<Bearer, Problem> {
        let Some(value) = authorization(headers)? else {
            return Err(Problem::new(Code::Unauthenticated));
        };
        let Some((scheme, token)) = value.split_once(' ') else {
            return Err(Problem::new(Code::Unauthenticated));
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::new(Code::Unauthenticated));
        }
        let signed =
            self.verify(token.trim(), now).ok_or_else(|| Problem::new(Code::InvalidToken))?;
        let claims = &signed.claims;
        if claims.exp <= now.timestamp() {
            return Err(Problem::new(if claims.imp.is_some() {
                Code::ImpersonationExpired
            } else {
                Code::TokenExpired
            }));
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
            _ => Err(Problem::new(Code::InvalidToken)),
        }
    }

    /// Verifies a token, but not its expiry. `None` if it is invalid or not valid yet, or its key
    /// is retired.
    fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Arc<Signed>> {
        if token.len() > LONGEST {
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
        (claims.nbf <= seconds && claims.iat <= seconds && claims.iat < claims.exp)
            .then_some(signed)
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
        // Times are checked by the caller, with the server's clock and without leeway.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.verifying, &rules).ok()?.claims;
        Some(Signed { claims, key_id })
    }

    /// Generates a refresh token of 256 random bits.
    pub fn refresh(&self) -> Result<RefreshToken, Problem> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).map_err(|_| Problem::new(Code::Internal))?;
        Ok(RefreshToken(format!("prt_{}", URL_SAFE_NO_PAD.encode(bytes)).into()))
    }
}

impl RefreshToken {
    /// Refresh token received from a client.
    #[must_use]
    pub fn identity(text: String) -> Self {
        Self(text.into())
    }

    /// SHA-256 hash, as stored. It needs no salt, because the token cannot be guessed.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, self.0.expose_secret().as_bytes()).as_ref().to_vec()
    }

    /// Token in clear, for the response that issues it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}
