//! `list_members`: pages, filters and cursors.

use postern_tests::{App, on_both};

on_both![members_are_listed_in_pages, members_are_filtered, cursors_are_bound_to_their_list,];

async fn members_are_listed_in_pages(t: &App) {
    let me = t.sign_in("viewer@acme.example").await;
    let (mut emails, mut path) = (Vec::new(), "/v1/orgs/acme/members?limit=3".to_owned());
    loop {
        let page = me.get(&path).await.expect(200);
        emails.extend(
            page.json["data"]
                .as_array()
                .expect("data is an array")
                .iter()
                .map(|member| member["email"].to_string()),
        );
        match page.json["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/orgs/acme/members?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    let expected =
        ["viewer", "member", "admin", "owner"].map(|role| format!("\"{role}@acme.example\""));
    assert_eq!(emails, expected, "each member appears once, newest first");
}

async fn members_are_filtered(t: &App) {
    let me = t.sign_in("viewer@acme.example").await;
    let count = |query: &str| {
        let path = format!("/v1/orgs/acme/members?{query}");
        let me = &me;
        async move { me.get(&path).await.expect(200).json["data"].as_array().map_or(0, Vec::len) }
    };
    assert_eq!(count("q=COSTA").await, 1, "the search ignores case");
    assert_eq!(count("q=acme").await, 4, "the search covers addresses");
    assert_eq!(count("q=%20costa%20").await, 1, "the search ignores surrounding spaces");
    assert_eq!(count("role=%20admin").await, 1, "filters ignore surrounding spaces");
    for blank in ["q=", "q=%20%09", "role=", "q=&role=%20"] {
        assert_eq!(count(blank).await, 4, "a blank filter is ignored: {blank}");
    }
    assert_eq!(count("q=%25").await, 0, "`%` is not a wildcard");
    assert_eq!(count("q=_").await, 0, "`_` is not a wildcard");
    assert_eq!(count("role=admin").await, 1, "one member is an admin");
    assert_eq!(count("role=admin&q=viewer").await, 0, "filters are combined with AND");
}

async fn cursors_are_bound_to_their_list(t: &App) {
    let (acme, globex) =
        (t.sign_in("owner@acme.example").await, t.sign_in("owner@globex.example").await);
    let cursor = acme.get("/v1/orgs/acme/members?limit=1").await.expect(200).text("/next_cursor");
    acme.get(&format!("/v1/orgs/acme/members?cursor={cursor}")).await.expect(200);
    globex
        .get(&format!("/v1/orgs/globex/members?cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
    acme.get(&format!("/v1/orgs/acme/members?role=viewer&cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
    acme.get(&format!("/v1/orgs/acme/audit-events?cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
    for forged in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%F0%9F%98%80"] {
        acme.get(&format!("/v1/orgs/acme/members?cursor={forged}"))
            .await
            .problem(400, "invalid_cursor");
    }
}
