//! `list_impersonations` and `list_org_impersonations`.

use postern_tests::{App, Response, on_both};
use serde_json::json;

on_both![support_lists_own_and_engineering_all_impersonations, org_admin_lists_impersonations,];

async fn support_lists_own_and_engineering_all_impersonations(t: &App) {
    let (support, ops, eng) = (
        t.sign_in("support@postern.example").await,
        t.sign_in("ops@postern.example").await,
        t.sign_in("eng@postern.example").await,
    );
    for staff in [&support, &ops] {
        t.impersonate(staff, "owner@acme.example", "acme", "full").await;
    }
    let count =
        |response: Response| response.expect(200).json["data"].as_array().map_or(0, Vec::len);
    assert_eq!(
        count(support.get("/v1/admin/impersonations").await),
        1,
        "support lists its own impersonation"
    );
    assert_eq!(
        count(eng.get("/v1/admin/impersonations").await),
        2,
        "engineering lists all impersonations"
    );
}

async fn org_admin_lists_impersonations(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    t.impersonate(&support, "owner@acme.example", "acme", "read_only").await;
    let admin = t.sign_in("admin@acme.example").await;
    let impersonations = admin.get("/v1/orgs/acme/impersonations").await.expect(200).json;
    assert_eq!(
        impersonations["data"][0]["staff_email"], "support@postern.example",
        "the staff member is named"
    );
    assert_eq!(
        impersonations["data"][0]["target_email"], "owner@acme.example",
        "the target is named"
    );
    assert_eq!(
        impersonations["data"][0]["reason"], "cannot open the reports page",
        "the reason is given"
    );
    let globex = t.sign_in("admin@globex.example").await;
    assert_eq!(
        globex.get("/v1/orgs/globex/impersonations").await.expect(200).json["data"],
        json!([]),
        "another org's list is empty"
    );
    t.sign_in("member@acme.example")
        .await
        .get("/v1/orgs/acme/impersonations")
        .await
        .problem(403, "permission_denied");
}
