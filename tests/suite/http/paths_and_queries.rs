//! Path and query parameters.

use postern_tests::{App, on_both};

on_both![
    invalid_ids_are_rejected,
    invalid_limits_are_rejected,
    invalid_queries_are_rejected,
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
