//! Problem responses (RFC 9457) and their pages.

use postern_tests::{App, Response, on_both};

use super::send_raw;

on_both![every_problem_has_a_page, echoed_input_is_truncated];

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
        let browser_accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let page = t
            .anonymous()
            .request("GET", &format!("/problems/{}", code.name()))
            .header("accept", browser_accept)
            .send()
            .await;
        let page = Response::of(page).await.expect(200);
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
            ![code.title(), code.remedy()].iter().any(|text| text.contains(['<', '>', '&'])),
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
