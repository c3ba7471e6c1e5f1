//! Request and response headers of all operations.

use postern_tests::{App, PASSWORD, Response, on_both};
use serde_json::json;

on_both![
    every_response_has_security_headers,
    hsts_is_sent_with_an_https_url,
    safe_request_ids_are_kept,
    long_user_agents_are_accepted,
    forwarded_ip_is_trusted_only_from_proxies,
];

async fn every_response_has_security_headers(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for (method, path) in [
        ("GET", "/v1/me"),
        ("GET", "/nowhere"),
        ("PUT", "/v1/me"),
        ("POST", "/v1/orgs"),
        ("OPTIONS", "/v1/me"),
    ] {
        let response = owner.send(method, path, (method == "POST").then(|| json!([]))).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(response.header(name), value, "{method} {path} has the header {name}");
        }
        assert!(
            !response.has_header("strict-transport-security"),
            "{method} {path}: no HSTS over plain HTTP"
        );
    }
    let public = t.anonymous().get("/.well-known/jwks.json").await.expect(200);
    assert!(
        public.header("cache-control").starts_with("public"),
        "signing keys can be cached publicly"
    );
}

async fn hsts_is_sent_with_an_https_url(t: &App) {
    let secure = App::start(t.backend, |config| {
        "https://postern.example".clone_into(&mut config.server.public_url);
    })
    .await;
    assert_eq!(
        secure.anonymous().get("/healthz").await.header("strict-transport-security"),
        "max-age=63072000",
        "HSTS is sent if the public URL is HTTPS"
    );
    secure.finish().await;
}

async fn safe_request_ids_are_kept(t: &App) {
    let request_id = |id: &'static str| async move {
        let request = t.anonymous().request("GET", "/healthz").header("x-request-id", id);
        Response::of(request.send().await).await.header("x-request-id")
    };
    assert_eq!(request_id("my-own.id_1").await, "my-own.id_1", "a safe request id is kept");
    for unsafe_id in [
        "a b",
        "",
        "<script>",
        "ünsafe",
        "0123456789012345678901234567890123456789012345678901234567890123456789",
    ] {
        assert_eq!(
            request_id(unsafe_id).await.len(),
            32,
            "a request id is generated instead of {unsafe_id:?}"
        );
    }
}

async fn forwarded_ip_is_trusted_only_from_proxies(t: &App) {
    let sign_in = |t: &App| {
        let body = json!({ "email": "owner@acme.example", "password": PASSWORD });
        let request = t
            .anonymous()
            .request("POST", "/v1/auth/login")
            .header("x-forwarded-for", "198.51.100.7, 203.0.113.9")
            .json(&body);
        async move { Response::of(request.send().await).await.expect(200).text("/access_token") }
    };
    let ip = |t: &App, token: String| {
        let sessions = t.bearer(&token).request("GET", "/v1/me/sessions");
        async move { Response::of(sessions.send().await).await.expect(200).text("/data/0/ip") }
    };
    assert_eq!(
        ip(t, sign_in(t).await).await,
        "127.0.0.1",
        "the header is ignored without a trusted proxy"
    );
    let behind = App::start(t.backend, |config| {
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().expect("the network is valid")];
    })
    .await;
    assert_eq!(
        ip(&behind, sign_in(&behind).await).await,
        "203.0.113.9",
        "the last address before the trusted proxy is used"
    );
    behind.finish().await;
}

async fn long_user_agents_are_accepted(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let long_user_agent =
        me.request("GET", "/v1/orgs/globex").header("user-agent", "x".repeat(4_000));
    Response::of(long_user_agent.send().await).await.problem(404, "not_found");
}
