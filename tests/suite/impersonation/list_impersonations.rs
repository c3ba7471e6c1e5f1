//! `list_impersonations` and `list_org_impersonations`, with their filters.

use chrono::TimeDelta;
use postern_domain::{Id, id::OrgId};
use postern_tests::{App, Person, Response, on_both};
use serde_json::json;

on_both![
    support_lists_own_and_engineering_all_impersonations,
    org_admin_lists_impersonations,
    filters_select_impersonations,
    unknown_filter_values_are_rejected,
];

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
    let of_ops =
        format!("/v1/admin/impersonations?staff={}", t.user_id("ops@postern.example").await);
    assert_eq!(count(support.get(&of_ops).await), 0, "a filter does not widen the list");
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
    let impersonation = &impersonations["data"][0];
    assert_eq!(impersonation["staff"]["name"], "Sam Okoro", "the staff member is named");
    assert_eq!(impersonation["user"]["name"], "Ana Costa", "the user is named");
    assert_eq!(impersonation["reason"], "cannot open the reports page", "the reason is given");
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

/// Names of the impersonated users in a list, oldest first.
async fn users(caller: &Person<'_>, path: &str) -> Vec<String> {
    let page = caller.get(path).await.expect(200).json;
    let rows = page["data"].as_array().expect("data is an array");
    let emails = rows.iter().rev().map(|row| row["user"]["email"].as_str());
    emails.map(|email| email.expect("email is a string").to_owned()).collect()
}

async fn filters_select_impersonations(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    t.impersonate(&support, "viewer@acme.example", "acme", "read_only").await;
    t.clock.advance(TimeDelta::minutes(31));
    let (support, ops) =
        (t.sign_in("support@postern.example").await, t.sign_in("ops@postern.example").await);
    let (_, ended) = t.impersonate(&ops, "member@acme.example", "acme", "full").await;
    let id = ended["impersonation"]["id"].as_str().expect("id is a string");
    ops.delete(&format!("/v1/admin/impersonations/{id}")).await.expect(204);
    t.impersonate(&support, "owner@globex.example", "globex", "full").await;
    let eng = t.sign_in("eng@postern.example").await;
    let (viewer, member, owner) =
        ("viewer@acme.example", "member@acme.example", "owner@globex.example");
    let (ops_id, member_id) = (t.user_id("ops@postern.example").await, t.user_id(member).await);
    let globex = t.db.uuid("SELECT id FROM organization WHERE slug = 'globex'").await;
    let globex: OrgId = Id::new(globex);
    for (filter, expected) in [
        ("status=expired".to_owned(), vec![viewer]),
        ("status=ended".to_owned(), vec![member]),
        ("status=active".to_owned(), vec![owner]),
        (format!("staff={ops_id}"), vec![member]),
        (format!("user={member_id}"), vec![member]),
        ("ticket_ref=sup-4312".to_owned(), vec![viewer, member, owner]),
        ("ticket_ref=SUP-1".to_owned(), vec![]),
        ("org=globex".to_owned(), vec![owner]),
        (format!("org={globex}"), vec![owner]),
        ("org=nowhere".to_owned(), vec![]),
        (format!("status=active&user={member_id}"), vec![]),
    ] {
        let path = format!("/v1/admin/impersonations?{filter}");
        assert_eq!(users(&eng, &path).await, expected, "staff: {filter}");
        if filter.starts_with("org=") {
            continue;
        }
        let in_acme: Vec<&str> = expected.into_iter().filter(|user| *user != owner).collect();
        let admin = t.sign_in("admin@acme.example").await;
        let path = format!("/v1/orgs/acme/impersonations?{filter}");
        assert_eq!(users(&admin, &path).await, in_acme, "acme: {filter}");
    }
}

async fn unknown_filter_values_are_rejected(t: &App) {
    let eng = t.sign_in("eng@postern.example").await;
    for filter in ["status=running", "staff=sam", "user=ana", "org_id=acme"] {
        let path = format!("/v1/admin/impersonations?{filter}");
        eng.get(&path).await.problem(400, "invalid_query");
    }
    let admin = t.sign_in("admin@acme.example").await;
    admin.get("/v1/orgs/acme/impersonations?org=acme").await.problem(400, "invalid_query");
}
