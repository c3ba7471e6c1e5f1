//! Rotation and publication of the signing keys.

use std::fs;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use chrono::TimeDelta;
use postern_domain::clock::Clock;
use postern_keystore::verify;
use postern_tests::{App, Person, on_both};
use serde_json::Value;

use super::token_forger::{TokenForger, assert_rejected, oldest_key, token_part};

on_both![
    keys_rotate_with_an_overlap,
    retired_key_is_rejected,
    removed_key_is_rejected,
    public_keys_verify_tokens_offline,
];

async fn keys_rotate_with_an_overlap(t: &App) {
    assert_eq!(published_keys(t).await.len(), 1, "one key is published");
    t.clock.advance(TimeDelta::seconds(1));
    t.state.tokens.keys().rotate(t.clock.now()).expect("the key is rotated");
    let published = published_keys(t).await;
    assert_eq!(published.len(), 2, "the new key is published before it signs");
    assert!(
        published.iter().all(|key| key.get("d").is_none() && key["kty"] == "OKP"),
        "published keys are public keys"
    );
    let during_overlap = t.sign_in("owner@acme.example").await;
    assert_eq!(
        key_id(&during_overlap),
        published[0]["kid"],
        "the old key signs until the new key's activation"
    );
    t.clock.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
    during_overlap.get("/v1/me").await.expect(200);
    let before_activation = t.sign_in("owner@acme.example").await;
    t.clock.advance(TimeDelta::seconds(1));
    let after_activation = t.sign_in("owner@acme.example").await;
    assert_eq!(
        key_id(&after_activation),
        published[1]["kid"],
        "the new key signs after its activation"
    );
    before_activation.get("/v1/me").await.expect(200);
    after_activation.get("/v1/me").await.expect(200);
    t.clock.advance(TimeDelta::minutes(60));
    assert_eq!(published_keys(t).await.len(), 1, "the old key is removed after the overlap");
    t.sign_in("owner@acme.example").await.get("/v1/me").await.expect(200);
}

async fn retired_key_is_rejected(t: &App) {
    let old_key_id = published_keys(t).await[0]["kid"].clone();
    t.clock.advance(TimeDelta::seconds(1));
    t.state.tokens.keys().rotate(t.clock.now()).expect("the key is rotated");
    t.clock.advance(TimeDelta::minutes(70));
    let published = published_keys(t).await;
    assert!(
        published.len() == 1 && published[0]["kid"] != old_key_id,
        "only the new key is published: {published:?}"
    );
    let latest = t.sign_in("owner@acme.example").await;
    latest.get("/v1/me").await.expect(200);
    let token = latest.token.as_ref().expect("the caller is signed in");
    let forger = TokenForger::new(oldest_key(t), token);
    assert_rejected(t, &forger.with_header("kid", old_key_id)).await;
}

/// An operator removes a key that may be known to others. Tokens that were verified before are
/// cached, and rejected too.
async fn removed_key_is_rejected(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    me.get("/v1/me").await.expect(200);
    t.clock.advance(TimeDelta::seconds(1));
    t.state.tokens.keys().rotate(t.clock.now()).expect("the key is rotated");
    let mut keys: Vec<_> = fs::read_dir(t.folder.path().join("keys"))
        .expect("the folder is readable")
        .map(|entry| entry.expect("the entry is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pk8"))
        .collect();
    keys.sort();
    fs::remove_file(&keys[0]).expect("the older key is removed");
    t.state.tokens.keys().reload().expect("the keys are read");
    me.get("/v1/me").await.problem(401, "invalid_token");
}

async fn published_keys(t: &App) -> Vec<Value> {
    let jwks = t.anonymous().get("/.well-known/jwks.json").await.expect(200);
    jwks.json["keys"].as_array().cloned().expect("keys is an array")
}

/// The id of the key that signed the caller's token.
fn key_id(caller: &Person<'_>) -> Value {
    token_part(caller.token.as_ref().expect("the caller is signed in"), 0)["kid"].clone()
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
    let public = B64.decode(jwks.text("/keys/0/x")).expect("the key is base64url");
    let (signed, signature) = token.rsplit_once('.').expect("the token has three parts");
    let signature = B64.decode(signature).expect("the signature is base64url");
    assert!(verify(&public, signed.as_bytes(), &signature), "the signature is valid");
}
