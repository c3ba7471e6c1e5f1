//! What others need to verify our tokens by themselves.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Answer, Call, ok},
    operations::op::{self, ReadAuthorizationServer, ReadJwks},
};

/// The public keys. (RFC 7517)
#[derive(Serialize, ToSchema)]
pub struct JwksView {
    /// The one that signs, the one that will, and those that did.
    #[schema(value_type = Vec<JwkView>)]
    keys: serde_json::Value,
}

/// One public key. (RFC 8037)
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub struct JwkView {
    /// The kind of key: on an elliptic curve, of one coordinate.
    #[schema(example = "OKP")]
    kty: String,
    /// The curve.
    #[schema(example = "Ed25519")]
    crv: String,
    /// The algorithm: what `alg` in a token must say.
    #[schema(example = "EdDSA")]
    alg: String,
    /// It verifies signatures.
    #[schema(rename = "use", example = "sig")]
    r#use: String,
    /// The key's id in the header of the tokens signed with it: its thumbprint (RFC 7638).
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    kid: String,
    /// The public key, in base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    x: String,
}

/// The keys that our access tokens are signed with.
///
/// There may be several: a new key is here before it signs, and an old one stays until no token of its is left. Keep the
/// answer for as long as `Cache-Control` says, and look again when a token names a key that is not in it.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "identity", impl_for = ReadJwks, responses(
    (status = 200, description = "The public keys.", body = JwksView, headers(("Cache-Control" = String, description = "For how long the answer may be kept.")))
))]
pub async fn read_jwks(call: Call<op::ReadJwks>) -> Answer<JwksView> {
    let mut jwks = call.state().tokens.keys().jwks(call.context().now);
    Ok(ok(JwksView { keys: jwks["keys"].take() }).public_for(300))
}

/// The server's metadata. (RFC 8414)
#[derive(Serialize, ToSchema)]
pub struct AuthorizationServerView {
    /// What `iss` in every token says.
    #[schema(example = "http://127.0.0.1:8080")]
    issuer: String,
    /// Where the public keys are.
    #[schema(example = "http://127.0.0.1:8080/.well-known/jwks.json")]
    jwks_uri: String,
    /// Where one signs in. It takes JSON, and not the forms of RFC 6749.
    #[schema(example = "http://127.0.0.1:8080/v1/auth/login")]
    token_endpoint: String,
    /// Where a person can read about all of it.
    #[schema(example = "http://127.0.0.1:8080/docs/")]
    service_documentation: String,
    /// Clients themselves prove nothing.
    #[schema(example = json!(["none"]))]
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// There is no authorization endpoint, and so there are none.
    #[schema(example = json!([]))]
    response_types_supported: Vec<&'static str>,
    /// What keeps a session alive.
    #[schema(example = json!(["refresh_token"]))]
    grant_types_supported: Vec<&'static str>,
}

/// Where to find what belongs to our tokens.
///
/// For libraries that discover an issuer by themselves: `issuer` and `jwks_uri` are for those. Tokens are got by `login` and `refresh`, in JSON, and not in
/// the forms of RFC 6749.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "identity", impl_for = ReadAuthorizationServer, responses(
    (status = 200, description = "The metadata.", body = AuthorizationServerView, headers(("Cache-Control" = String, description = "For how long the answer may be kept.")))
))]
pub async fn read_authorization_server(
    call: Call<op::ReadAuthorizationServer>,
) -> Answer<AuthorizationServerView> {
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
