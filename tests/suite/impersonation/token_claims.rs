//! Forged claims in tokens of impersonations.

use chrono::TimeDelta;
use postern_domain::clock::Clock;
use postern_tests::{App, on_both};
use serde_json::{Value, json};

use crate::auth::token_forger::{TokenForger, assert_rejected, oldest_key};

on_both![
    impersonation_claims_in_session_tokens_are_rejected,
    changed_impersonation_claims_are_rejected,
    mode_and_expiry_of_the_database_apply,
];

/// Impersonation claims added to a token of a normal session.
async fn impersonation_claims_in_session_tokens_are_rejected(t: &App) {
    let forger = TokenForger::of(t).await;
    let support = t.sign_in("support@postern.example").await;
    let (_, started) = t.impersonate(&support, "member@acme.example", "acme", "read_only").await;
    assert_rejected(t, &forger.with_claim("act", actor(t).await)).await;
    assert_rejected(t, &forger.with_claim("imp", started["impersonation"]["id"].clone())).await;
}

/// A real impersonation token without one of its claims, with a nested actor, or with another user
/// or org.
async fn changed_impersonation_claims_are_rejected(t: &App) {
    let forger = impersonation_forger(t).await;
    for claim in ["act", "imp", "org", "mode"] {
        assert_rejected(t, &forger.without_claim(claim)).await;
    }
    let mut nested = actor(t).await;
    nested["act"] = actor(t).await;
    assert_rejected(t, &forger.with_claim("act", nested)).await;
    for (claim, value) in [
        ("sub", json!(t.user_id("owner@acme.example").await)),
        ("org", json!("org_01k7fgpr00e00800000000000g")),
    ] {
        t.bearer(&forger.with_claim(claim, value))
            .get("/v1/me")
            .await
            .problem(401, "session_ended");
    }
}

async fn mode_and_expiry_of_the_database_apply(t: &App) {
    let forger = impersonation_forger(t).await;
    let full = forger.with_claim("mode", json!("full"));
    t.bearer(&full)
        .patch("/v1/me", json!({ "name": "Other" }))
        .await
        .problem(403, "impersonation_read_only");
    let later = t.clock.now() + TimeDelta::hours(5);
    let longer = forger.with_claim("exp", json!(later.timestamp()));
    t.clock.advance(TimeDelta::minutes(31));
    t.bearer(&longer).get("/v1/me").await.problem(401, "impersonation_expired");
}

/// A forger with the token of a new read-only impersonation.
async fn impersonation_forger(t: &App) -> TokenForger {
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "member@acme.example", "acme", "read_only").await;
    TokenForger::new(oldest_key(t), target.token.as_ref().expect("the caller is signed in"))
}

/// The claim `act` for support.
async fn actor(t: &App) -> Value {
    let email = "support@postern.example";
    json!({ "sub": t.user_id(email).await, "email": email })
}
