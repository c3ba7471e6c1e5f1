//! Invalid input: returns a 4xx problem that names the field, and changes nothing.

use postern_tests::{Answer, App, on_both};
use serde_json::json;

on_both![
    invalid_bodies_are_rejected,
    body_size_is_limited,
    enum_fields_accept_only_their_strings,
    echoed_input_is_truncated,
    only_json_is_accepted,
    nul_and_invalid_utf8_are_rejected,
    invalid_paths_and_queries_are_rejected,
    safe_request_ids_are_kept,
    forwarded_ip_is_trusted_only_from_proxies,
];

async fn raw(t: &App, method: &str, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let me = t.sign_in("owner@acme.example").await;
    Answer::of(
        me.request(method, path).header("content-type", "application/json").body(body).send().await,
    )
    .await
}

async fn invalid_bodies_are_rejected(t: &App) {
    for (body, code) in [
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("null", "invalid_body"),
        ("[]", "invalid_body"),
        ("[\"Name\"]", "invalid_body"),
        ("{\"name\": null}", "invalid_body"),
        ("\"x\"", "invalid_body"),
        ("{\"name\": 1}", "invalid_body"),
        ("{\"name\": \"x\", \"owner\": true}", "invalid_body"),
        ("{\"name\": \"x\", \"name\": \"y\"}", "malformed_json"),
        ("{\"name\": \"\\ud800\"}", "malformed_json"),
        ("\u{feff}{}", "malformed_json"),
        ("{} {}", "malformed_json"),
        ("{\"name\": \"\"}", "invalid_body"),
        ("{\"name\": \" padded \"}", "invalid_body"),
        ("{\"name\": \"two\\nlines\"}", "invalid_body"),
    ] {
        let answer = raw(t, "PATCH", "/v1/orgs/acme", body).await;
        let status = if code == "malformed_json" { 400 } else { 422 };
        let answer = answer.problem(status, code);
        assert!(
            code == "malformed_json" || !answer.text("/errors/0/code").is_empty(),
            "the problem names the fault: {body}"
        );
    }
    let deep = format!("{{\"name\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    assert!(
        [400, 422].contains(&raw(t, "PATCH", "/v1/orgs/acme", deep).await.status),
        "deep nesting is rejected"
    );
    raw(t, "PATCH", "/v1/orgs/acme", vec![b'{', b'"', 0xff, 0xfe, b'"', b':', b'1', b'}'])
        .await
        .expect(400);
    let utf16: Vec<u8> = "{\"name\": \"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    raw(t, "PATCH", "/v1/orgs/acme", utf16).await.problem(400, "malformed_json");
    let unknown = raw(t, "PATCH", "/v1/me", "{\"staff_tier\": \"super_admin\"}")
        .await
        .problem(422, "invalid_body");
    assert_eq!(
        (unknown.text("/errors/0/pointer"), unknown.text("/errors/0/code")),
        ("/staff_tier".to_owned(), "unknown".to_owned()),
        "the unknown field is named"
    );
    assert_eq!(t.recorded("org.updated").await, 0, "nothing is changed");
}

/// Enum fields accept only their listed strings, and no other JSON that serde could deserialize.
async fn enum_fields_accept_only_their_strings(t: &App) {
    let path =
        format!("/v1/orgs/acme/members/{}", t.member_id("acme", "viewer@acme.example").await);
    for role in [
        "{\"viewer\": null}",
        "{\"member\": {}}",
        "5",
        "null",
        "[]",
        "[\"member\"]",
        "true",
        "\"boss\"",
        "\"Member\"",
    ] {
        let rejected = raw(t, "PATCH", &path, format!("{{\"role\": {role}}}"))
            .await
            .problem(422, "invalid_body");
        assert_eq!(rejected.text("/errors/0/pointer"), "/role", "the field is named for {role}");
    }
    let boss = raw(t, "PATCH", &path, "{\"role\": \"boss\"}").await;
    assert_eq!(
        boss.text("/errors/0/detail"),
        "one of viewer member admin owner",
        "the detail lists the allowed values"
    );
    assert_eq!(t.recorded("user.role_changed").await, 0, "nothing is changed");
}

async fn echoed_input_is_truncated(t: &App) {
    let long = "a".repeat(20_000);
    let me = t.sign_in("owner@acme.example").await;
    for answer in [
        me.get(&format!("/v1/me?{long}=1")).await,
        me.get(&format!("/v1/orgs/acme/audit-events?outcome={long}")).await,
        raw(t, "PATCH", "/v1/me", format!("{{\"{long}\": 1}}")).await,
        raw(t, "PATCH", "/v1/orgs/acme", format!("{{\"name\": {{\"{long}\": 1}}}}")).await,
    ] {
        assert!(
            (400..500).contains(&answer.status) && answer.body.len() < 3_000,
            "the response is a short 4xx: {}, {} bytes",
            answer.status,
            answer.body.len()
        );
        assert!(
            answer.text("/detail").chars().count() <= 1_000
                && answer.text("/errors/0/pointer").chars().count() <= 500,
            "detail and pointer are truncated: {}",
            answer.body
        );
    }
    // Names are escaped in the pointer (RFC 6901).
    assert_eq!(
        me.get("/v1/me?a~b/c=1").await.text("/errors/0/pointer"),
        "/a~0b~1c",
        "the pointer escapes `~` and `/`"
    );
    for limit in ["%2B1", "0001", "1e1", "", "101"] {
        me.get(&format!("/v1/orgs?limit={limit}")).await.problem(400, "invalid_query");
    }
}

async fn body_size_is_limited(t: &App) {
    let largest = format!("{{\"name\": \"{}\"}}", "x".repeat(262_144 - 12));
    assert_eq!(largest.len(), 262_144, "the body has the maximum size");
    raw(t, "PATCH", "/v1/orgs/acme", largest.clone()).await.problem(422, "invalid_body");
    raw(t, "PATCH", "/v1/orgs/acme", largest + " ").await.problem(413, "body_too_large");
    let chunks = (0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 10_000]));
    let endless = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let me = t.sign_in("owner@acme.example").await;
    let sent = me
        .request("PATCH", "/v1/orgs/acme")
        .header("content-type", "application/json")
        .body(endless)
        .send()
        .await;
    // The server may close the connection before the client has sent the whole body.
    if sent.is_ok() {
        Answer::of(sent).await.problem(413, "body_too_large");
    }
    me.get("/v1/me").await.expect(200);
}

async fn only_json_is_accepted(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "multipart/form-data",
        "application/jsonx",
        "",
    ] {
        let request = me
            .request("PATCH", "/v1/orgs/acme")
            .header("content-type", kind)
            .body("{\"name\": \"x\"}");
        Answer::of(request.send().await).await.problem(415, "unsupported_media_type");
    }
    Answer::of(me.request("PATCH", "/v1/orgs/acme").body("{}").send().await)
        .await
        .problem(415, "unsupported_media_type");
    let compressed = me
        .request("PATCH", "/v1/orgs/acme")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body("x");
    Answer::of(compressed.send().await).await.problem(415, "unsupported_media_type");
    let charset = me
        .request("PATCH", "/v1/orgs/acme")
        .header("content-type", "application/json; charset=utf-8")
        .body("{\"name\": \"Fine\"}");
    Answer::of(charset.send().await).await.expect(200);
}

async fn nul_and_invalid_utf8_are_rejected(t: &App) {
    let nul = raw(t, "PATCH", "/v1/orgs/acme", "{\"name\": \"a\\u0000b\"}")
        .await
        .problem(422, "invalid_body");
    assert_eq!(
        (nul.text("/errors/0/pointer"), nul.text("/errors/0/code")),
        ("/name".to_owned(), "nul_character".to_owned()),
        "the NUL character is reported"
    );
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
    t.log_in("owner@acme.example\u{0}", "x").await.problem(422, "invalid_body");
    t.log_in("owner@acme.example", "\u{0}").await.problem(422, "invalid_body");
    let long_user_agent =
        me.request("GET", "/v1/orgs/globex").header("user-agent", "x".repeat(4_000));
    Answer::of(long_user_agent.send().await).await.problem(404, "not_found");
}

async fn invalid_paths_and_queries_are_rejected(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    for id in [
        "mem_1",
        "org_01k7fgpr00e00800000000000g",
        "MEM_01K7FGPR00E00800000000000G",
        "1",
        "mem_80000000000000000000000000",
    ] {
        let answer =
            me.get(&format!("/v1/orgs/acme/members/{id}")).await.problem(400, "invalid_id");
        assert_eq!(
            answer.text("/errors/0/pointer"),
            "/member",
            "the path parameter is named for {id}"
        );
    }
    for (limit, status) in
        [("0", 400), ("101", 400), ("-1", 400), ("ten", 400), ("1e2", 400), ("", 400), ("100", 200)]
    {
        assert_eq!(
            me.get(&format!("/v1/orgs/acme/members?limit={limit}")).await.status,
            status,
            "status for limit {limit:?}"
        );
    }
    me.get("/v1/orgs/acme/members?page=2").await.problem(400, "invalid_query");
    me.get("/v1/orgs/acme/members?limit=1&limit=2").await.problem(400, "invalid_query");
    me.get("/v1/orgs/acme/").await.problem(404, "not_found");
    for (method, path, allow) in [
        ("PUT", "/v1/me", "GET, HEAD, OPTIONS, PATCH"),
        ("DELETE", "/v1/orgs", "GET, HEAD, OPTIONS, POST"),
        ("PATCH", "/healthz", "GET, HEAD, OPTIONS"),
        ("POST", "/openapi.json", "GET, HEAD, OPTIONS"),
    ] {
        let answer =
            me.send(method, path, Some(json!({}))).await.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allow, "{method} {path}: Allow lists the methods");
    }
}

async fn safe_request_ids_are_kept(t: &App) {
    let request_id = |id: &'static str| async move {
        let request = t.anonymous().request("GET", "/healthz").header("x-request-id", id);
        Answer::of(request.send().await).await.header("x-request-id")
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
        let body = json!({ "email": "owner@acme.example", "password": postern_tests::PASSWORD });
        let request = t
            .anonymous()
            .request("POST", "/v1/auth/login")
            .header("x-forwarded-for", "198.51.100.7, 203.0.113.9")
            .json(&body);
        async move { Answer::of(request.send().await).await.expect(200).text("/access_token") }
    };
    let ip = |t: &App, token: String| {
        let sessions = t.bearer(&token).request("GET", "/v1/me/sessions");
        async move { Answer::of(sessions.send().await).await.expect(200).text("/data/0/ip") }
    };
    assert_eq!(
        ip(t, sign_in(t).await).await,
        "127.0.0.1",
        "the header is ignored without a trusted proxy"
    );
    let behind = App::start(t.backend, |config| {
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().expect("the network is valid")]
    })
    .await;
    assert_eq!(
        ip(&behind, sign_in(&behind).await).await,
        "203.0.113.9",
        "the last address before the trusted proxy is used"
    );
    behind.finish().await;
}
