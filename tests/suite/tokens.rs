//! Forged and malformed access tokens (RFC 8725). Forged tokens are signed with the server's real
//! key unless the test is about the signature.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use chrono::TimeDelta;
use postern_domain::clock::Clock;
use postern_tests::{Answer, App, on_both};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

on_both![
    valid_token_is_accepted,
    other_algorithms_are_rejected,
    keys_in_token_headers_are_rejected,
    invalid_claims_are_rejected,
    token_times_are_exact,
    impersonation_claims_cannot_be_forged,
    token_is_read_only_from_the_authorization_header,
    keys_rotate_with_an_overlap,
    public_keys_verify_tokens_offline,
];

/// Signs arbitrary tokens with the server's key.
struct Forger {
    key: Ed25519KeyPair,
    header: Value,
    claims: Value,
}

impl Forger {
    /// Reads the signing key from disk, and header and claims from a valid token.
    async fn of(t: &App) -> Self {
        let token = t.sign_in("owner@acme.example").await.token.expect("the caller is signed in");
        let mut parts =
            token.split('.').map(|part| B64.decode(part).expect("the part is base64url"));
        let mut json = || {
            serde_json::from_slice(&parts.next().expect("the token has the part"))
                .expect("the part is valid JSON")
        };
        let (header, claims) = (json(), json());
        let folder =
            std::fs::read_dir(t.folder.path().join("keys")).expect("the directory is readable");
        let key = folder
            .map(|entry| entry.expect("the entry is readable").path())
            .find(|path| path.extension().is_some_and(|end| end == "pk8"));
        let key = Ed25519KeyPair::from_pkcs8(
            &std::fs::read(key.expect("the key is valid")).expect("the key file is readable"),
        )
        .expect("the key is valid");
        Self { key, header, claims }
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", B64.encode(header), B64.encode(claims));
        format!("{signed}.{}", B64.encode(self.key.sign(signed.as_bytes())))
    }

    fn with_header(&self, field: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header[field] = value;
        self.sign(&header.to_string(), &self.claims.to_string())
    }

    fn with_claim(&self, field: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[field] = value;
        self.sign(&self.header.to_string(), &claims.to_string())
    }

    fn without_claim(&self, field: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().expect("the claims are an object").remove(field);
        self.sign(&self.header.to_string(), &claims.to_string())
    }
}

/// Asserts that the token is rejected with `invalid_token`.
async fn refused(t: &App, token: &str) {
    t.bearer(token).get("/v1/me").await.problem(401, "invalid_token");
}

async fn valid_token_is_accepted(t: &App) {
    let forger = Forger::of(t).await;
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
    let forger = Forger::of(t).await;
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
        refused(t, &token).await;
        refused(t, &format!("{}.", token.rsplit_once('.').expect("the token has three parts").0))
            .await;
    }
    let mut header = forger.header.clone();
    header.as_object_mut().expect("the JSON is an object").remove("alg");
    refused(t, &forger.sign(&header.to_string(), &forger.claims.to_string())).await;
    let duplicate_alg = forger
        .header
        .to_string()
        .replace("\"alg\":\"EdDSA\"", "\"alg\":\"none\",\"alg\":\"EdDSA\"");
    refused(t, &forger.sign(&duplicate_alg, &forger.claims.to_string())).await;
    // HS256 with the public key as the secret.
    let header =
        json!({ "alg": "HS256", "typ": "at+jwt", "kid": forger.header["kid"] }).to_string();
    let signed = format!("{}.{}", B64.encode(header), B64.encode(forger.claims.to_string()));
    let public = forger.key.public_key().as_ref();
    for secret in [public.to_vec(), B64.encode(public).into_bytes()] {
        let tag = ring::hmac::sign(
            &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret),
            signed.as_bytes(),
        );
        refused(t, &format!("{signed}.{}", B64.encode(tag))).await;
    }
    for typ in [json!("JWT"), json!(null), json!(""), json!("rt+jwt")] {
        refused(t, &forger.with_header("typ", typ)).await;
    }
}

async fn keys_in_token_headers_are_rejected(t: &App) {
    let forger = Forger::of(t).await;
    let url = json!(format!("{}/healthz", t.address));
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": B64.encode(forger.key.public_key()) });
    for (field, value) in [
        ("jwk", jwk),
        ("jku", url.clone()),
        ("x5u", url.clone()),
        ("x5c", json!(["MIIB"])),
        ("kid", url),
    ] {
        refused(t, &forger.with_header(field, value)).await;
    }
    for kid in ["../../../etc/passwd", "' OR 1=1 --", "$(id)", "\u{0}", &"k".repeat(20_000)] {
        let answer = t.bearer(&forger.with_header("kid", json!(kid))).get("/v1/me").await;
        assert!(
            answer.status == 401 || (kid.len() > 1_000 && answer.status == 431),
            "the key id is rejected: {}",
            answer.status
        );
    }
    refused(t, &forger.with_header("kid", json!(7))).await;
}

async fn invalid_claims_are_rejected(t: &App) {
    let forger = Forger::of(t).await;
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
        refused(t, &forger.with_claim(claim, value)).await;
    }
    for claim in ["iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti"] {
        refused(t, &forger.without_claim(claim)).await;
    }
    let unknown_user = forger.with_claim("sub", json!("user_01k7fgpr00e00800000000000g"));
    t.bearer(&unknown_user).get("/v1/me").await.problem(401, "session_ended");
    let other_user =
        t.sign_in("owner@globex.example").await.get("/v1/me").await.expect(200).text("/user/id");
    t.bearer(&forger.with_claim("sub", json!(other_user)))
        .get("/v1/me")
        .await
        .problem(401, "session_ended");
    for malformed in ["a.b.c", "..", "eyJ", "postern-demo-2026"] {
        refused(t, malformed).await;
    }
    let other_key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("the key is valid");
    let other_forger =
        Forger { key: other_key, header: forger.header.clone(), claims: forger.claims.clone() };
    refused(t, &other_forger.sign(&forger.header.to_string(), &forger.claims.to_string())).await;
}

async fn token_times_are_exact(t: &App) {
    let forger = Forger::of(t).await;
    let now = t.clock.now().timestamp();
    for (claim, value) in [
        ("nbf", json!(now + 1)),
        ("iat", json!(now + 1)),
        ("exp", json!(-1)),
        ("exp", json!(1.5)),
        ("nbf", json!(null)),
    ] {
        t.bearer(&forger.with_claim(claim, value)).get("/v1/me").await.expect(401);
    }
    t.bearer(&forger.with_claim("exp", json!(now))).get("/v1/me").await.expect(401);
    let infinite_exp = forger
        .claims
        .to_string()
        .replace(&format!("\"exp\":{}", forger.claims["exp"]), "\"exp\":1e400");
    refused(t, &forger.sign(&forger.header.to_string(), &infinite_exp)).await;
    let duplicate_exp =
        forger.claims.to_string().replace("\"exp\":", "\"exp\":9999999999,\"exp\":");
    refused(t, &forger.sign(&forger.header.to_string(), &duplicate_exp)).await;
}

async fn impersonation_claims_cannot_be_forged(t: &App) {
    let forger = Forger::of(t).await;
    let support = t.sign_in("support@postern.example").await;
    let (target, started) =
        t.impersonate(&support, "member@acme.example", "acme", "read_only").await;
    // Impersonation claims added to a normal session's token.
    let act = json!({
        "sub": t.user_id("support@postern.example").await,
        "email": "support@postern.example",
    });
    refused(t, &forger.with_claim("act", act.clone())).await;
    refused(t, &forger.with_claim("imp", started["impersonation"]["id"].clone())).await;
    // A real impersonation token without one of its claims, with a nested actor, or with another
    // user or org.
    let claims: Value = serde_json::from_slice(
        &B64.decode(
            target
                .token
                .as_ref()
                .expect("the caller is signed in")
                .split('.')
                .nth(1)
                .expect("the token has claims"),
        )
        .expect("the part is base64url"),
    )
    .expect("the part is valid JSON");
    let impersonation_forger = Forger {
        key: Ed25519KeyPair::from_pkcs8(&key_of(t)).expect("the key is valid"),
        header: forger.header.clone(),
        claims: claims.clone(),
    };
    for claim in ["act", "imp", "org", "mode"] {
        refused(t, &impersonation_forger.without_claim(claim)).await;
    }
    refused(
        t,
        &impersonation_forger
            .with_claim("act", json!({ "sub": act["sub"], "email": act["email"], "act": act })),
    )
    .await;
    for (claim, value) in [
        ("sub", json!(t.user_id("owner@acme.example").await)),
        ("org", json!("org_01k7fgpr00e00800000000000g")),
    ] {
        t.bearer(&impersonation_forger.with_claim(claim, value))
            .get("/v1/me")
            .await
            .problem(401, "session_ended");
    }
    // The mode of the database row applies, not that of the token.
    let full = impersonation_forger.with_claim("mode", json!("full"));
    t.bearer(&full)
        .patch("/v1/me", json!({ "name": "Other" }))
        .await
        .problem(403, "impersonation_read_only");
    // The expiry of the database row applies as well.
    let later = t.clock.now() + TimeDelta::hours(5);
    let longer = impersonation_forger.with_claim("exp", json!(later.timestamp()));
    t.clock.turn(TimeDelta::minutes(31));
    t.bearer(&longer).get("/v1/me").await.problem(401, "impersonation_expired");
}

fn key_of(t: &App) -> Vec<u8> {
    let folder =
        std::fs::read_dir(t.folder.path().join("keys")).expect("the directory is readable");
    let path = folder
        .map(|entry| entry.expect("the entry is readable").path())
        .find(|path| path.extension().is_some_and(|end| end == "pk8"));
    std::fs::read(path.expect("a key file exists")).expect("the key file is readable")
}

async fn token_is_read_only_from_the_authorization_header(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let token = me.token.clone().expect("the caller is signed in");
    let duplicate_header = me.request("GET", "/v1/me").header("authorization", "Bearer x");
    Answer::of(duplicate_header.send().await).await.problem(401, "invalid_token");
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
        Answer::of(request.send().await).await.problem(401, "unauthenticated");
    }
    let owner = me.get("/v1/me").await.expect(200).text("/user/id");
    for name in ["x-user-id", "x-remote-user", "x-org-id", "x-tenant-id", "x-forwarded-user"] {
        let viewer = t.sign_in("viewer@globex.example").await;
        let answer = Answer::of(viewer.request("GET", "/v1/me").header(name, &owner).send().await)
            .await
            .expect(200);
        assert_eq!(
            answer.json["user"]["email"], "viewer@globex.example",
            "{name} does not change the caller"
        );
    }
}

async fn keys_rotate_with_an_overlap(t: &App) {
    let keys = || async {
        t.anonymous().get("/.well-known/jwks.json").await.expect(200).json["keys"]
            .as_array()
            .cloned()
            .expect("keys is an array")
    };
    let kid = |token: &str| {
        let header: Value = serde_json::from_slice(
            &B64.decode(token.split('.').next().expect("the token has a header"))
                .expect("the part is base64url"),
        )
        .expect("the part is valid JSON");
        header["kid"].clone()
    };
    assert_eq!(keys().await.len(), 1, "one key is published");
    t.clock.turn(TimeDelta::seconds(1));
    t.state.tokens.keys().rotate(t.clock.now()).expect("the key is rotated");
    let published = keys().await;
    assert_eq!(published.len(), 2, "the new key is published before it signs");
    assert!(
        published.iter().all(|key| key.get("d").is_none() && key["kty"] == "OKP"),
        "published keys are public keys"
    );
    let during_overlap = t.sign_in("owner@acme.example").await;
    assert_eq!(
        kid(during_overlap.token.as_ref().expect("the caller is signed in")),
        published[0]["kid"],
        "the old key signs until the new key's activation"
    );
    t.clock.turn(TimeDelta::minutes(10) - TimeDelta::seconds(1));
    during_overlap.get("/v1/me").await.expect(200);
    let before_activation = t.sign_in("owner@acme.example").await;
    t.clock.turn(TimeDelta::seconds(1));
    let after_activation = t.sign_in("owner@acme.example").await;
    assert_eq!(
        kid(after_activation.token.as_ref().expect("the caller is signed in")),
        published[1]["kid"],
        "the new key signs after its activation"
    );
    before_activation.get("/v1/me").await.expect(200);
    after_activation.get("/v1/me").await.expect(200);
    t.clock.turn(TimeDelta::minutes(60));
    assert_eq!(keys().await.len(), 1, "the old key is removed after the overlap");
    let latest = t.sign_in("owner@acme.example").await;
    latest.get("/v1/me").await.expect(200);
    let mut forger = Forger {
        key: Ed25519KeyPair::from_pkcs8(&oldest_key(t)).expect("the key is valid"),
        header: json!({}),
        claims: json!({}),
    };
    let token = latest.token.clone().expect("the caller is signed in");
    let part = |n: usize| -> Value {
        serde_json::from_slice(
            &B64.decode(token.split('.').nth(n).expect("the token has the part"))
                .expect("the part is base64url"),
        )
        .expect("the part is valid JSON")
    };
    (forger.header, forger.claims) = (part(0), part(1));
    refused(t, &forger.with_header("kid", published[0]["kid"].clone())).await;
}

fn oldest_key(t: &App) -> Vec<u8> {
    let folder =
        std::fs::read_dir(t.folder.path().join("keys")).expect("the directory is readable");
    let mut paths: Vec<_> = folder
        .map(|entry| entry.expect("the entry is readable").path())
        .filter(|path| path.extension().is_some_and(|end| end == "pk8"))
        .collect();
    paths.sort();
    std::fs::read(&paths[0]).expect("the key file is readable")
}

async fn public_keys_verify_tokens_offline(t: &App) {
    let token = t.sign_in("owner@acme.example").await.token.expect("the caller is signed in");
    let discovered = t.anonymous().get("/.well-known/oauth-authorization-server").await.expect(200);
    assert!(
        discovered.text("/jwks_uri").ends_with("/.well-known/jwks.json"),
        "the metadata refers to the keys"
    );
    let jwks = t.anonymous().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(
        jwks.header("cache-control"),
        "public, max-age=300",
        "keys can be cached for 5 minutes"
    );
    let public = B64.decode(jwks.text("/keys/0/x")).expect("the part is base64url");
    let (signed, signature) = token.rsplit_once('.').expect("the token has three parts");
    let signature = B64.decode(signature).expect("the part is base64url");
    ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public)
        .verify(signed.as_bytes(), &signature)
        .expect("the signature is valid");
}
