//! Impersonated callers: allowed or denied as the operation's row states.

use postern_domain::{
    operation::{Impersonated, Operation},
    scope::ScopeKind,
};
use postern_tests::{App, on_both};

use super::{operations, request};

on_both![operations_follow_their_impersonation_rule];

async fn operations_follow_their_impersonation_rule(t: &App) {
    for row in operations().filter(|row| row.scope != ScopeKind::Public) {
        for mode in ["read_only", "full"] {
            let fresh = App::start(t.backend, |_| {}).await;
            call_as_target(&fresh, row, mode).await;
            fresh.finish().await;
        }
    }
}

async fn call_as_target(t: &App, row: &Operation, mode: &str) {
    let (method, path, body) = request(t, row, "acme").await;
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "owner@acme.example", "acme", mode).await;
    let before = (t.recorded("impersonation.request").await, t.recorded("permission.denied").await);
    let response = target.send(method, &path, body).await;
    let denied = match (row.impersonated, mode) {
        (Impersonated::Blocked, _) => Some("impersonation_blocked"),
        (Impersonated::Write, "read_only") => Some("impersonation_read_only"),
        _ => None,
    };
    match denied {
        Some(code) => drop(response.problem(403, code)),
        None => {
            assert!(response.status < 300, "{} succeeds in mode {mode}: {}", row.id, response.body);
        }
    }
    let after = (t.recorded("impersonation.request").await, t.recorded("permission.denied").await);
    assert_eq!(
        after,
        (before.0 + 1, before.1 + i64::from(denied.is_some())),
        "{} in mode {mode}: the request and a denial are recorded",
        row.id
    );
}
