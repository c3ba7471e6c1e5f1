//! Problem responses (RFC 9457) and their pages.

use postern_tests::{App, Response, on_both};

use super::send_raw;

on_both![
    every_problem_has_a_page,
    index_lists_all_problems,
    page_lists_the_operations,
    echoed_input_is_truncated,
];

/// `Accept` header of browsers.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn page_of(t: &App, path: &str) -> Response {
    Response::of(t.anonymous().request("GET", path).header("accept", BROWSER).send().await)
        .await
        .expect(200)
}

async fn index_lists_all_problems(t: &App) {
    let page = page_of(t, "/problems").await;
    assert!(
        page.header("content-security-policy").contains("style-src 'self';"),
        "the page loads stylesheets of this server only"
    );
    let list = t.anonymous().get("/problems").await.expect(200).json;
    let codes = postern_api::http::Code::ALL;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(codes.len()), "JSON has all codes");
    for (index, code) in codes.iter().enumerate() {
        let name = code.name();
        assert_eq!(list["data"][index]["code"], name, "in the order of the catalogue");
        assert_eq!(list["data"][index]["cause"], code.cause(), "{name} has a cause");
        assert!(
            page.body.contains(&format!("<a href=\"problems/{name}\">")),
            "the index links to {name} relative to itself"
        );
    }
}

async fn page_lists_the_operations(t: &App) {
    for (code, lists, omits) in [
        ("last_owner", "../docs/#/members/change_member_role", "read_me"),
        ("impersonation_read_only", "../docs/#/settings/update_settings", "delete_org"),
        ("idempotency_key_required", "../docs/#/support/start_impersonation", "login"),
    ] {
        let page = page_of(t, &format!("/problems/{code}")).await.body;
        assert!(
            page.contains(&format!("<a href=\"{lists}\">")) && !page.contains(omits),
            "{code}: {page}"
        );
        assert!(
            page.contains(&format!("\"code\": \"{code}\"")) && page.contains("<h2>Cause</h2>"),
            "{code} has an example and a cause: {page}"
        );
    }
    assert!(page_of(t, "/problems/internal").await.body.contains("<p>All operations.</p>"));
    let outside = page_of(t, "/problems/method_not_allowed").await.body;
    assert!(outside.contains("do not reach an operation"), "{outside}");
}

async fn every_problem_has_a_page(t: &App) {
    for code in postern_api::http::Code::ALL {
        let page = t.anonymous().get(&format!("/problems/{}", code.name())).await.expect(200);
        assert_eq!(
            page.json["status"],
            code.status().as_u16(),
            "{} has its status in the body",
            code.name()
        );
        // Browsers send an `Accept` header that prefers HTML.
        let page = page_of(t, &format!("/problems/{}", code.name())).await;
        assert_eq!(
            (page.header("content-type").as_str(), page.header("vary").contains("accept")),
            ("text/html; charset=utf-8", true),
            "a browser gets HTML, and caches it by `Accept`"
        );
        assert!(
            page.body.contains(&format!("<h1>{}</h1>", code.title())),
            "the page shows the title: {}",
            page.body
        );
        assert!(
            ![code.title(), code.cause(), code.remedy()]
                .iter()
                .any(|text| text.contains(['<', '>', '&'])),
            "the texts of {} contain no HTML characters",
            code.name()
        );
    }
    t.anonymous().get("/problems/other").await.problem(404, "not_found");
}

async fn echoed_input_is_truncated(t: &App) {
    let long = "a".repeat(20_000);
    let me = t.sign_in("owner@acme.example").await;
    for response in [
        me.get(&format!("/v1/me?{long}=1")).await,
        me.get(&format!("/v1/orgs/acme/audit-events?outcome={long}")).await,
        send_raw(t, "PATCH", "/v1/me", format!("{{\"{long}\": 1}}")).await,
        send_raw(t, "PATCH", "/v1/orgs/acme", format!("{{\"name\": {{\"{long}\": 1}}}}")).await,
    ] {
        assert!(
            (400..500).contains(&response.status) && response.body.len() < 3_000,
            "the response is a short 4xx: {}, {} bytes",
            response.status,
            response.body.len()
        );
        assert!(
            response.text("/detail").chars().count() <= 1_000
                && response.text("/errors/0/pointer").chars().count() <= 500,
            "detail and pointer are truncated: {}",
            response.body
        );
    }
    // Names are escaped in the pointer (RFC 6901).
    assert_eq!(
        me.get("/v1/me?a~b/c=1").await.text("/errors/0/pointer"),
        "/a~0b~1c",
        "the pointer escapes `~` and `/`"
    );
}
