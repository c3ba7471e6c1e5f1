//! Metadata that other services need to verify access tokens.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{CacheControl, Call, HandlerResult, ok},
    operations::op::{self, ReadAuthorizationServer, ReadJwks},
};

/// JSON Web Key Set (RFC 7517).
#[derive(Serialize, ToSchema)]
pub struct JwksView {
    /// Current, upcoming and recently retired signing keys.
    #[schema(value_type = Vec<JwkView>)]
    keys: serde_json::Value,
}

/// Public signing key (RFC 8037).
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct JwkView {
    /// Key type: octet key pair.
    #[schema(example = "OKP", max_length = 40)]
    kty: String,
    /// Elliptic curve.
    #[schema(example = "Ed25519", max_length = 40)]
    crv: String,
    /// Algorithm. Tokens must have the same `alg`.
    #[schema(example = "EdDSA", max_length = 40)]
    alg: String,
    /// Use of the key: signatures.
    #[schema(rename = "use", example = "sig", max_length = 40)]
    r#use: String,
    /// Key ID: the thumbprint of the key (RFC 7638). Tokens signed with it have the same `kid`.
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", max_length = 64)]
    kid: String,
    /// Public key, base64url-encoded.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", max_length = 64)]
    x: String,
}

/// Get the public keys for verifying access tokens.
///
/// Several keys may be listed: a new key is published before use, and a retired key stays until the
/// last token it signed expires. Cache the response for as long as `Cache-Control` allows, and
/// fetch it again when a token has an unknown `kid`.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "system", impl_for = ReadJwks, responses(
    (status = 200, description = "The public keys.", body = JwksView,
        headers(("Cache-Control" = inline(CacheControl),
            description = "Cache lifetime of the response.")))
))]
pub async fn read_jwks(call: Call<op::ReadJwks>) -> HandlerResult<JwksView> {
    let mut jwks = call.state().tokens.keys().jwks(call.context().now);
    Ok(ok(JwksView { keys: jwks["keys"].take() }).public_for(300))
}

/// Authorization server metadata (RFC 8414).
#[derive(Serialize, ToSchema)]
pub struct AuthorizationServerView {
    /// Issuer: the value of `iss` in every token.
    #[schema(example = "http://localhost:8080", max_length = 2048)]
    issuer: String,
    /// URL of the public keys.
    #[schema(example = "http://localhost:8080/.well-known/jwks.json", max_length = 2048)]
    jwks_uri: String,
    /// URL for signing in. It accepts JSON, not the form encoding of RFC 6749.
    #[schema(example = "http://localhost:8080/v1/auth/login", max_length = 2048)]
    token_endpoint: String,
    /// URL of the API documentation.
    #[schema(example = "http://localhost:8080/docs/", max_length = 2048)]
    service_documentation: String,
    /// Clients are not authenticated (`none`).
    #[schema(example = json!(["none"]), max_length = 64)]
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// Always empty: there is no authorization endpoint.
    #[schema(example = json!([]), max_length = 64)]
    response_types_supported: Vec<&'static str>,
    /// Supported grant types.
    #[schema(example = json!(["refresh_token"]), max_length = 64)]
    grant_types_supported: Vec<&'static str>,
}

/// Get the authorization server metadata.
///
/// For libraries that discover `issuer` and `jwks_uri`. Tokens are issued by `login` and `refresh`,
/// which accept JSON, not the form encoding of RFC 6749.
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", tag = "system",
    impl_for = ReadAuthorizationServer, responses(
    (status = 200, description = "The metadata.", body = AuthorizationServerView,
        headers(("Cache-Control" = inline(CacheControl),
            description = "Cache lifetime of the response.")))
))]
pub async fn read_authorization_server(
    call: Call<op::ReadAuthorizationServer>,
) -> HandlerResult<AuthorizationServerView> {
    let issuer = call.state().tokens.issuer();
    let metadata = AuthorizationServerView {
        issuer: issuer.to_owned(),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        token_endpoint: format!("{issuer}/v1/auth/login"),
        service_documentation: format!("{issuer}/docs/"),
        token_endpoint_auth_methods_supported: vec!["none"],
        response_types_supported: vec![],
        grant_types_supported: vec!["refresh_token"],
    };
    Ok(ok(metadata).public_for(300))
}
