//! Forged and malformed access tokens (RFC 8725). Forged tokens are signed with the server's real
//! key unless the test is about the signature.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use chrono::TimeDelta;
use postern_domain::clock::Clock;
use postern_keystore::{MacKey, SigningKey};
use postern_tests::{App, Response, on_both};
use serde_json::json;

use super::token_forger::{TokenForger, assert_rejected};

on_both![
    valid_token_is_accepted,
    other_algorithms_are_rejected,
    hmac_with_the_public_key_is_rejected,
    keys_in_token_headers_are_rejected,
    invalid_claims_are_rejected,
    other_users_and_keys_are_rejected,
    token_times_are_exact,
    access_tokens_expire_without_leeway,
    token_is_read_only_from_the_authorization_header,
    identity_headers_are_ignored,
];

async fn valid_token_is_accepted(t: &App) {
    let forger = TokenForger::of(t).await;
    let token = forger.sign(&forger.header.to_string(), &forger.claims.to_string());
    t.bearer(&token).get("/v1/me").await.expect(200);
    assert_eq!(forger.header["typ"], "at+jwt", "the token has the type at+jwt (RFC 9068)");
    assert_eq!(forger.header["alg"], "EdDSA", "the token is signed with EdDSA");
    for claim in ["role", "roles", "tier", "email"] {
        assert!(
            forger.claims.get(claim).is_none(),
            "the token does not contain {claim}: it is loaded on each request"
        );
    }
}

async fn other_algorithms_are_rejected(t: &App) {
    let forger = TokenForger::of(t).await;
    for alg in [
        json!("none"),
        json!("None"),
        json!(""),
        json!(null),
        json!(["EdDSA"]),
        json!("HS256"),
        json!("RS256"),
        json!("ES256"),
        json!(1),
    ] {
        let token = forger.with_header("alg", alg);
        let (signed, _) = token.rsplit_once('.').expect("the token has three parts");
        assert_rejected(t, &token).await;
        assert_rejected(t, &format!("{signed}.")).await;
    }
    let mut header = forger.header.clone();
    header.as_object_mut().expect("the JSON is an object").remove("alg");
    assert_rejected(t, &forger.sign(&header.to_string(), &forger.claims.to_string())).await;
    let duplicate_alg = forger
        .header
        .to_string()
        .replace("\"alg\":\"EdDSA\"", "\"alg\":\"none\",\"alg\":\"EdDSA\"");
    assert_rejected(t, &forger.sign(&duplicate_alg, &forger.claims.to_string())).await;
    for typ in [json!("JWT"), json!(null), json!(""), json!("rt+jwt")] {
        assert_rejected(t, &forger.with_header("typ", typ)).await;
    }
}

/// HS256 with the public key as the secret (RFC 8725, 2.1).
async fn hmac_with_the_public_key_is_rejected(t: &App) {
    let forger = TokenForger::of(t).await;
    let header =
        json!({ "alg": "HS256", "typ": "at+jwt", "kid": forger.header["kid"] }).to_string();
    let signed = format!("{}.{}", B64.encode(header), B64.encode(forger.claims.to_string()));
    let public = forger.key.public_key();
    for secret in [public.to_vec(), B64.encode(public).into_bytes()] {
        let tag = MacKey::new(&secret).sign(signed.as_bytes());
        assert_rejected(t, &format!("{signed}.{}", B64.encode(tag))).await;
    }
}

async fn keys_in_token_headers_are_rejected(t: &App) {
    let forger = TokenForger::of(t).await;
    let url = json!(format!("{}/healthz", t.address));
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": B64.encode(forger.key.public_key()) });
    for (field, value) in [
        ("jwk", jwk),
        ("jku", url.clone()),
        ("x5u", url.clone()),
        ("x5c", json!(["MIIB"])),
        ("kid", url),
    ] {
        assert_rejected(t, &forger.with_header(field, value)).await;
    }
    for kid in ["../../../etc/passwd", "' OR 1=1 --", "$(id)", "\u{0}", &"k".repeat(20_000)] {
        let response = t.bearer(&forger.with_header("kid", json!(kid))).get("/v1/me").await;
        assert!(
            response.status == 401 || (kid.len() > 1_000 && response.status == 431),
            "the key id is rejected: {}",
            response.status
        );
    }
    assert_rejected(t, &forger.with_header("kid", json!(7))).await;
}

async fn invalid_claims_are_rejected(t: &App) {
    let forger = TokenForger::of(t).await;
    for (claim, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{}/", forger.claims["iss"].as_str().expect("iss is a string")))),
        ("aud", json!("other-api")),
        ("aud", json!("postern-api ")),
        ("sub", json!("org_01k7fgpr00e00800000000000g")),
        ("sub", json!("")),
        ("sid", json!("user_01k7fgpr00e00800000000000g")),
        ("admin", json!(true)),
        ("exp", json!("tomorrow")),
    ] {
        assert_rejected(t, &forger.with_claim(claim, value)).await;
    }
    for claim in ["iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti"] {
        assert_rejected(t, &forger.without_claim(claim)).await;
    }
    for malformed in ["a.b.c", "..", "eyJ", "postern-demo-2026"] {
        assert_rejected(t, malformed).await;
    }
}

async fn other_users_and_keys_are_rejected(t: &App) {
    let forger = TokenForger::of(t).await;
    let unknown_user = forger.with_claim("sub", json!("user_01k7fgpr00e00800000000000g"));
    t.bearer(&unknown_user).get("/v1/me").await.problem(401, "session_ended");
    let other_user =
        t.sign_in("owner@globex.example").await.get("/v1/me").await.expect(200).text("/user/id");
    t.bearer(&forger.with_claim("sub", json!(other_user)))
        .get("/v1/me")
        .await
        .problem(401, "session_ended");
    let (header, claims) = (forger.header.to_string(), forger.claims.to_string());
    let other_key = SigningKey::generate().expect("the key is created");
    let other_forger = TokenForger { key: other_key, ..forger };
    assert_rejected(t, &other_forger.sign(&header, &claims)).await;
}

async fn token_times_are_exact(t: &App) {
    let forger = TokenForger::of(t).await;
    let now = t.clock.now().timestamp();
    for (claim, value) in [
        ("nbf", json!(now + 6)),
        ("iat", json!(now + 6)),
        ("exp", json!(-1)),
        ("exp", json!(1.5)),
        ("nbf", json!(null)),
    ] {
        t.bearer(&forger.with_claim(claim, value)).get("/v1/me").await.expect(401);
    }
    // Issued by a replica with a clock that is ahead.
    for claim in ["nbf", "iat"] {
        t.bearer(&forger.with_claim(claim, json!(now + 5))).get("/v1/me").await.expect(200);
    }
    t.bearer(&forger.with_claim("exp", json!(now))).get("/v1/me").await.expect(401);
    let infinite_exp = forger
        .claims
        .to_string()
        .replace(&format!("\"exp\":{}", forger.claims["exp"]), "\"exp\":1e400");
    assert_rejected(t, &forger.sign(&forger.header.to_string(), &infinite_exp)).await;
    let duplicate_exp =
        forger.claims.to_string().replace("\"exp\":", "\"exp\":9999999999,\"exp\":");
    assert_rejected(t, &forger.sign(&forger.header.to_string(), &duplicate_exp)).await;
}

async fn access_tokens_expire_without_leeway(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    t.clock.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
    me.get("/v1/me").await.expect(200);
    t.clock.advance(TimeDelta::seconds(1));
    me.get("/v1/me").await.problem(401, "token_expired");
    t.clock.advance(TimeDelta::hours(-2));
    me.get("/v1/me").await.problem(401, "invalid_token");
}

async fn token_is_read_only_from_the_authorization_header(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let token = me.token.clone().expect("the caller is signed in");
    let duplicate_header = me.request("GET", "/v1/me").header("authorization", "Bearer x");
    Response::of(duplicate_header.send().await).await.problem(401, "invalid_token");
    t.anonymous()
        .get(&format!("/v1/me?access_token={token}"))
        .await
        .problem(401, "unauthenticated");
    for (name, value) in [
        ("cookie", format!("access_token={token}")),
        ("x-access-token", token.clone()),
        ("authorization", format!("Token {token}")),
        ("authorization", token.clone()),
    ] {
        let request = t.anonymous().request("GET", "/v1/me").header(name, value);
        Response::of(request.send().await).await.problem(401, "unauthenticated");
    }
}

async fn identity_headers_are_ignored(t: &App) {
    let owner = t.user_id("owner@acme.example").await;
    for name in ["x-user-id", "x-remote-user", "x-org-id", "x-tenant-id", "x-forwarded-user"] {
        let viewer = t.sign_in("viewer@globex.example").await;
        let response =
            Response::of(viewer.request("GET", "/v1/me").header(name, &owner).send().await)
                .await
                .expect(200);
        assert_eq!(
            response.json["user"]["email"], "viewer@globex.example",
            "{name} does not change the caller"
        );
    }
}
