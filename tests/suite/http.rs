//! HTTP behavior shared by all operations: methods, CORS, compression, caching, headers,
//! deprecation.

use std::sync::Arc;

use actix_web::{middleware::from_fn, test as actix, web::Data};
use postern_api::{
    http::{self, Call, Routes, document, ok},
    operations::Op,
};
use postern_domain::{
    operation::{Deprecation, Impersonated, Operation, Records},
    scope::{self, ScopeKind},
};
use postern_tests::{Answer, App, on_both, tests_on};
use serde_json::json;

on_both![
    head_matches_get,
    options_lists_allowed_methods,
    cors_allows_only_listed_origins,
    responses_are_compressed_on_request,
    pages_link_to_next_and_previous,
    every_response_has_security_headers,
    matching_etag_returns_304,
    middleware_errors_are_problems,
];

async fn head_matches_get(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for path in [
        "/healthz",
        "/v1/me",
        "/v1/orgs/acme/members",
        "/openapi.json",
        "/v1/orgs/nowhere",
        "/nowhere",
    ] {
        let (get, head) = (owner.get(path).await, owner.send("HEAD", path, None).await);
        assert_eq!(
            (head.status, head.body.as_str()),
            (get.status, ""),
            "HEAD {path} has the status of GET and no body"
        );
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "HEAD {path} has the content type of GET"
        );
    }
    assert_eq!(
        owner.send("HEAD", "/v1/auth/login", None).await.status,
        405,
        "HEAD is not allowed on a POST operation"
    );
    // HEAD on a stream does not count against the concurrency limit (8 per user): the ninth
    // succeeds.
    for _ in 0..9 {
        assert_eq!(
            owner.send("HEAD", "/v1/orgs/acme/audit-events/stream", None).await.status,
            200,
            "HEAD on a stream succeeds"
        );
        owner.get("/healthz").await.expect(200);
    }
    assert_eq!(
        t.anonymous().send("HEAD", "/v1/me", None).await.status,
        401,
        "HEAD requires a token as GET does"
    );
}

async fn options_lists_allowed_methods(t: &App) {
    for (path, allow) in [
        ("/v1/me", "GET, HEAD, OPTIONS, PATCH"),
        ("/v1/auth/login", "OPTIONS, POST"),
        ("/v1/admin/staff/user_01k7fgpr00e00800000000000g", "DELETE, OPTIONS, PUT"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ] {
        let answer = t.anonymous().send("OPTIONS", path, None).await.expect(204);
        assert_eq!(answer.header("allow"), allow, "OPTIONS {path} lists the methods");
    }
    t.anonymous().send("OPTIONS", "/nowhere", None).await.problem(404, "not_found");
}

async fn cors_allows_only_listed_origins(t: &App) {
    const LISTED: &str = "https://admin.vendor.example";
    let server =
        App::start(t.backend, |config| config.server.cors_origins = vec![LISTED.to_owned()]).await;
    let owner = server.sign_in("owner@acme.example").await;
    let send = |method: &'static str, origin: &'static str| {
        let request = owner.request(method, "/v1/orgs/acme/settings").header("origin", origin);
        let preflight_headers = [
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "authorization,if-match"),
        ];
        let request = if method == "OPTIONS" {
            preflight_headers
                .into_iter()
                .fold(request, |request, (name, value)| request.header(name, value))
        } else {
            request
        };
        async { Answer::of(request.send().await).await }
    };
    let preflight = send("OPTIONS", LISTED).await;
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-origin").as_str()),
        (200, LISTED),
        "the preflight request succeeds"
    );
    assert!(preflight.header("access-control-allow-methods").contains("PATCH"), "PATCH is allowed");
    assert!(
        preflight.header("access-control-allow-headers").to_lowercase().contains("if-match"),
        "the If-Match header is allowed"
    );
    let read = send("GET", LISTED).await.expect(200);
    assert_eq!(read.header("access-control-allow-origin"), LISTED, "the origin is allowed");
    assert!(
        read.header("access-control-expose-headers").to_lowercase().contains("etag"),
        "the ETag header is exposed"
    );
    assert!(
        !read.has_header("access-control-allow-credentials"),
        "credentials are not allowed: there are no cookies"
    );
    let other = send("GET", "https://evil.example").await.expect(200);
    assert!(!other.has_header("access-control-allow-origin"), "an unlisted origin is not allowed");
    assert!(
        !send("OPTIONS", "https://evil.example").await.has_header("access-control-allow-origin"),
        "a preflight request of an unlisted origin is not allowed"
    );
    server.finish().await;
    // By default no origin is listed.
    let response = t.anonymous().request("GET", "/healthz").header("origin", LISTED).send().await;
    assert!(
        !Answer::of(response).await.has_header("access-control-allow-origin"),
        "no origin is allowed by default"
    );
}

async fn responses_are_compressed_on_request(t: &App) {
    let plain = t.anonymous().get("/openapi.json").await.expect(200);
    assert!(
        !plain.has_header("content-encoding"),
        "the response is not compressed without Accept-Encoding"
    );
    let response = t
        .anonymous()
        .request("GET", "/openapi.json")
        .header("accept-encoding", "gzip")
        .send()
        .await
        .expect("the server responds");
    assert_eq!(response.headers()["content-encoding"], "gzip", "the response is compressed");
    assert!(
        response.headers()["vary"]
            .to_str()
            .expect("the header is text")
            .to_lowercase()
            .contains("accept-encoding"),
        "caches distinguish responses by Accept-Encoding"
    );
    let bytes = response.bytes().await.expect("the body arrives");
    assert!(
        bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() * 3 < plain.body.len(),
        "gzip saves two thirds: {} of {} bytes",
        bytes.len(),
        plain.body.len()
    );
    // Responses with a strong ETag are not compressed: the tag identifies the exact bytes.
    let owner = t.sign_in("owner@acme.example").await;
    for encoding in ["gzip", "gzip, identity;q=0.1"] {
        let settings = owner
            .request("GET", "/v1/orgs/acme/settings")
            .header("accept-encoding", encoding)
            .send()
            .await;
        let settings = Answer::of(settings).await.expect(200);
        assert!(
            !settings.has_header("content-encoding") && settings.json["version"].is_number(),
            "{encoding}: settings are not compressed"
        );
    }
}

async fn pages_link_to_next_and_previous(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let first = owner.get("/v1/orgs/acme/members?limit=1&q=acme").await.expect(200);
    let next = link(&first, "next").expect("the first page links to the next");
    assert!(
        link(&first, "prev").is_none() && next.contains("q=acme"),
        "the first page has no previous page, and the next link keeps the filter: {next}"
    );
    let second = owner.get(&next).await.expect(200);
    assert_ne!(second.json["data"], first.json["data"], "the second page differs from the first");
    let back = owner
        .get(&link(&second, "prev").expect("the second page links to the previous"))
        .await
        .expect(200);
    assert_eq!(back.json["data"], first.json["data"], "the previous link leads to the first page");
    assert!(
        !owner.get("/v1/orgs/acme/members?q=unmatched").await.expect(200).has_header("link"),
        "an empty page has no links"
    );
    // A percent-encoded `cursor` parameter is replaced in the next link, not repeated.
    let encoded = next.replace("cursor=", "%63ursor=");
    let third =
        link(&owner.get(&encoded).await.expect(200), "next").expect("the page links to the next");
    assert_eq!(third.matches("ursor=").count(), 1, "the next link has one cursor: {third}");
    owner.get(&third).await.expect(200);
}

/// Target of the link with this relation in the `Link` header (RFC 8288).
fn link(answer: &Answer, relation: &str) -> Option<String> {
    let links = answer.header("link");
    let entry = links.split(", ").find(|link| link.ends_with(&format!("rel=\"{relation}\"")))?;
    Some(entry.split(['<', '>']).nth(1)?.to_owned())
}

async fn matching_etag_returns_304(t: &App) {
    for path in ["/openapi.json", "/docs/", "/docs/operator.js", "/docs/swagger-ui-bundle.js"] {
        let get_if_none_match = |etags: String| async {
            Answer::of(
                t.anonymous().request("GET", path).header("if-none-match", etags).send().await,
            )
            .await
        };
        let first = t.anonymous().get(path).await.expect(200);
        let etag = first.header("etag");
        assert_eq!(
            first.header("cache-control"),
            "no-cache",
            "clients may store {path}, and revalidate it before each use"
        );
        for matching in [etag.clone(), format!("\"other\", {etag}"), "*".to_owned()] {
            let again = get_if_none_match(matching).await;
            assert_eq!(
                (again.status, again.body.as_str(), again.header("etag")),
                (304, "", etag.clone()),
                "{path}: 304 without a body and with the same ETag"
            );
        }
        for other in ["\"other\"", "W/\"other\"", "no tag"] {
            assert_eq!(
                get_if_none_match(other.to_owned()).await.expect(200).body.len(),
                first.body.len(),
                "{path}: the full body for another ETag"
            );
        }
    }
}

/// Errors of the CORS and compression middleware.
async fn middleware_errors_are_problems(t: &App) {
    let server = App::start(t.backend, |config| {
        config.server.cors_origins = vec!["https://listed.example".to_owned()]
    })
    .await;
    for headers in [
        vec![("origin", "https://evil.example"), ("access-control-request-method", "PATCH")],
        vec![("origin", "https://listed.example"), ("access-control-request-method", "BREW")],
        vec![("access-control-request-method", "PATCH")],
    ] {
        let request = server.anonymous().request("OPTIONS", "/v1/me");
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let refused = Answer::of(request.send().await).await;
        assert!(
            !refused.header("x-request-id").is_empty()
                && refused.json["detail"].as_str().is_some_and(|why| why.len() > 10),
            "the problem has a request id and a detail: {}",
            refused.body
        );
        refused.problem(400, "invalid_header");
    }
    // Without an acceptable encoding, the response is sent uncompressed.
    for encodings in ["identity;q=0", "*;q=0", "br, identity;q=0"] {
        let answer = server
            .anonymous()
            .request("GET", "/healthz")
            .header("accept-encoding", encodings)
            .send()
            .await;
        assert!(
            !Answer::of(answer).await.expect(200).has_header("content-encoding"),
            "{encodings}: uncompressed"
        );
    }
    server.anonymous().get("/docs/other").await.problem(404, "not_found");
    server.finish().await;
}

async fn every_response_has_security_headers(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for (method, path) in [
        ("GET", "/v1/me"),
        ("GET", "/nowhere"),
        ("PUT", "/v1/me"),
        ("POST", "/v1/orgs"),
        ("OPTIONS", "/v1/me"),
    ] {
        let answer = owner.send(method, path, (method == "POST").then(|| json!([]))).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(answer.header(name), value, "{method} {path} has the header {name}");
        }
        assert!(
            !answer.has_header("strict-transport-security"),
            "{method} {path}: no HSTS over plain HTTP"
        );
    }
    let public = t.anonymous().get("/.well-known/jwks.json").await.expect(200);
    assert!(
        public.header("cache-control").starts_with("public"),
        "signing keys can be cached publicly"
    );
    let secure = App::start(t.backend, |config| {
        "https://postern.example".clone_into(&mut config.server.public_url)
    })
    .await;
    assert_eq!(
        secure.anonymous().get("/healthz").await.header("strict-transport-security"),
        "max-age=63072000",
        "HSTS is sent if the public URL is HTTPS"
    );
    secure.finish().await;
}

tests_on! { deprecated, Sqlite: deprecated_operation_is_announced }

/// A deprecated operation for the test: the contract has none.
struct ReadOld;

impl Op for ReadOld {
    type Scope = scope::Public;
    const ROW: &'static Operation = &Operation {
        id: "read_old",
        scope: ScopeKind::Public,
        needs: None,
        records: Records::Nothing,
        impersonated: Impersonated::Allowed,
        demands: &[],
        deprecated: Some(Deprecation::new((2026, 12, 1), (2027, 6, 1), "read_health")),
    };
}

/// Read the deprecated value.
///
/// Returns a fixed text.
#[utoipa::path(
    get,
    path = "/v1/old",
    tag = "system",
    impl_for = ReadOld,
    responses((status = 200, description = "The text.", body = String))
)]
async fn read_old(_call: Call<ReadOld>) -> http::Answer<String> {
    Ok(ok("yes".to_owned()))
}

async fn deprecated_operation_is_announced(t: &App) {
    let mut routes = Routes::default();
    routes.add(read_old);
    let app = actix_web::App::new()
        .app_data(Data::from(Arc::clone(&t.state)))
        .configure(|config| routes.configure(config));
    let app = actix::init_service(app.wrap(from_fn(http::request_info_middleware))).await;
    for (path, status) in [("/v1/old", 200), ("/v1/old?unknown=1", 400)] {
        let answer =
            actix::call_service(&app, actix::TestRequest::get().uri(path).to_request()).await;
        assert_eq!(answer.status(), status, "status of {path}");
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .expect("the header is present")
                .to_str()
                .expect("the header is text")
                .to_owned()
        };
        // Expected value computed with `date --utc --date 2026-12-01 +%s`.
        assert_eq!(header("deprecation"), "@1796083200", "date of deprecation (RFC 9745)");
        assert_eq!(header("sunset"), "Tue, 01 Jun 2027 00:00:00 GMT", "date of removal (RFC 8594)");
        assert!(
            header("link").contains("rel=\"deprecation\""),
            "the Link header has the relation `deprecation`"
        );
    }
    let document = document::document(&routes);
    let operation = &document["paths"]["/v1/old"]["get"];
    assert_eq!(operation["deprecated"], true, "the operation is marked as deprecated");
    let description = operation["description"].as_str().expect("the operation is described");
    assert!(
        description.contains("gone from 2027-06-01 on. Use `read_health` instead."),
        "the description names the removal date and the replacement: {description}"
    );
    assert!(
        operation["responses"]["400"]["headers"]["Sunset"].is_object(),
        "problem responses list the header"
    );
    for header in ["Deprecation", "Sunset"] {
        assert!(
            operation["responses"]["200"]["headers"][header].is_object()
                && document["components"]["headers"][header].is_object(),
            "the document describes the header {header}"
        );
    }
    // Other operations do not send the header.
    assert!(
        !t.anonymous().get("/healthz").await.has_header("deprecation"),
        "other operations do not send Deprecation"
    );
}
