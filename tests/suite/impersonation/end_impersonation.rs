//! `end_impersonation`.

use postern_tests::{App, on_both};
use serde_json::Value;

on_both![ended_impersonation_is_rejected, support_ends_own_and_engineering_any_impersonation,];

async fn ended_impersonation_is_rejected(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (ana, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let path = format!(
        "/v1/admin/impersonations/{}",
        started["impersonation"]["id"].as_str().expect("id is a string")
    );
    support.delete(&path).await.expect(204);
    ana.get("/v1/me").await.problem(401, "impersonation_ended");
    support.delete(&path).await.problem(409, "already_ended");
    assert_eq!(t.recorded("impersonation.ended").await, 1, "the end is recorded once");
    assert_eq!(
        t.recorded("impersonation.request").await,
        0,
        "requests after the end are not recorded as impersonated"
    );
}

async fn support_ends_own_and_engineering_any_impersonation(t: &App) {
    let (support, ops, eng) = (
        t.sign_in("support@postern.example").await,
        t.sign_in("ops@postern.example").await,
        t.sign_in("eng@postern.example").await,
    );
    let (_, first) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    let (_, second) = t.impersonate(&ops, "owner@acme.example", "acme", "full").await;
    let path = |started: &Value| {
        format!(
            "/v1/admin/impersonations/{}",
            started["impersonation"]["id"].as_str().expect("id is a string")
        )
    };
    let unknown = "/v1/admin/impersonations/imp_01k7fgpr00e00800000000000g";
    let other = ops.delete(&path(&first)).await.problem(404, "not_found");
    assert_eq!(
        other.without_request_id(),
        ops.delete(unknown).await.problem(404, "not_found").without_request_id(),
        "another's impersonation looks like one that does not exist"
    );
    assert_eq!(t.recorded("permission.denied").await, 0, "nor do the caller's events differ");
    assert_eq!(t.recorded("impersonation.ended").await, 0, "the impersonation has not ended");
    ops.delete(&path(&second)).await.expect(204);
    eng.delete(&path(&first)).await.expect(204);
    ops.delete(&path(&first)).await.problem(404, "not_found");
    eng.delete(unknown).await.problem(404, "not_found");
}
