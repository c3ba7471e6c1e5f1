//! Request bodies: JSON syntax, fields, size and media type.

use postern_tests::{App, Response, on_both};

use super::send_raw;

on_both![
    invalid_bodies_are_rejected,
    body_errors_are_in_terms_of_the_contract,
    invalid_encodings_are_rejected,
    unknown_fields_are_rejected,
    body_size_is_limited,
    enum_fields_accept_only_their_strings,
    nul_characters_are_rejected,
    only_json_is_accepted,
];

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
        ("{\"name\": \"two\\nlines\"}", "invalid_body"),
    ] {
        let response = send_raw(t, "PATCH", "/v1/orgs/acme", body).await;
        let status = if code == "malformed_json" { 400 } else { 422 };
        let response = response.problem(status, code);
        assert!(
            code == "malformed_json" || !response.text("/errors/0/code").is_empty(),
            "the problem names the fault: {body}"
        );
    }
    assert_eq!(t.recorded("org.updated").await, 0, "nothing is changed");
}

async fn invalid_encodings_are_rejected(t: &App) {
    let deep = format!("{{\"name\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    assert!(
        [400, 422].contains(&send_raw(t, "PATCH", "/v1/orgs/acme", deep).await.status),
        "deep nesting is rejected"
    );
    let invalid_utf8 = vec![b'{', b'"', 0xff, 0xfe, b'"', b':', b'1', b'}'];
    send_raw(t, "PATCH", "/v1/orgs/acme", invalid_utf8).await.expect(400);
    let utf16: Vec<u8> = "{\"name\": \"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    send_raw(t, "PATCH", "/v1/orgs/acme", utf16).await.problem(400, "malformed_json");
    assert_eq!(t.recorded("org.updated").await, 0, "nothing is changed");
}

async fn unknown_fields_are_rejected(t: &App) {
    let unknown = send_raw(t, "PATCH", "/v1/me", "{\"staff_tier\": \"super_admin\"}")
        .await
        .problem(422, "invalid_body");
    assert_eq!(
        (unknown.text("/errors/0/pointer"), unknown.text("/errors/0/code")),
        ("/staff_tier".to_owned(), "unknown".to_owned()),
        "the unknown field is named"
    );
    assert_eq!(t.recorded("user.profile_updated").await, 0, "nothing is changed");
}

async fn body_size_is_limited(t: &App) {
    let largest = format!("{{\"name\": \"{}\"}}", "x".repeat(262_144 - 12));
    assert_eq!(largest.len(), 262_144, "the body has the maximum size");
    send_raw(t, "PATCH", "/v1/orgs/acme", largest.clone()).await.problem(422, "invalid_body");
    send_raw(t, "PATCH", "/v1/orgs/acme", largest + " ").await.problem(413, "body_too_large");
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
        Response::of(sent).await.problem(413, "body_too_large");
    }
    me.get("/v1/me").await.expect(200);
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
        let rejected = send_raw(t, "PATCH", &path, format!("{{\"role\": {role}}}"))
            .await
            .problem(422, "invalid_body");
        assert_eq!(rejected.text("/errors/0/pointer"), "/role", "the field is named for {role}");
    }
    let unknown_role = send_raw(t, "PATCH", &path, "{\"role\": \"boss\"}").await;
    assert_eq!(
        unknown_role.text("/errors/0/detail"),
        "must be one of viewer, member, admin, owner",
        "the detail lists the allowed values"
    );
    assert_eq!(t.recorded("user.role_changed").await, 0, "nothing is changed");
}

async fn nul_characters_are_rejected(t: &App) {
    let nul = send_raw(t, "PATCH", "/v1/orgs/acme", "{\"name\": \"a\\u0000b\"}")
        .await
        .problem(422, "invalid_body");
    assert_eq!(
        (nul.text("/errors/0/pointer"), nul.text("/errors/0/code")),
        ("/name".to_owned(), "nul_character".to_owned()),
        "the NUL character is reported"
    );
    t.log_in("owner@acme.example\u{0}", "x").await.problem(422, "invalid_body");
    t.log_in("owner@acme.example", "\u{0}").await.problem(422, "invalid_body");
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
        Response::of(request.send().await).await.problem(415, "unsupported_media_type");
    }
    Response::of(me.request("PATCH", "/v1/orgs/acme").body("{}").send().await)
        .await
        .problem(415, "unsupported_media_type");
    let compressed = me
        .request("PATCH", "/v1/orgs/acme")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body("x");
    Response::of(compressed.send().await).await.problem(415, "unsupported_media_type");
    let charset = me
        .request("PATCH", "/v1/orgs/acme")
        .header("content-type", "application/json; charset=utf-8")
        .body("{\"name\": \"Fine\"}");
    Response::of(charset.send().await).await.expect(200);
}

/// Details are in terms of JSON and of the contract, without names of Rust types.
async fn body_errors_are_in_terms_of_the_contract(t: &App) {
    for (path, body, pointer, detail) in [
        ("/v1/orgs/acme", "null", "", "must be a JSON object, not null"),
        ("/v1/orgs/acme", "\"x\"", "", "must be a JSON object, not a string"),
        ("/v1/orgs/acme", "5", "", "must be a JSON object, not a number"),
        ("/v1/orgs/acme", "[]", "", "must be a JSON object, not an array"),
        ("/v1/orgs/acme", "{\"name\": 1}", "/name", "must be a string, not a number"),
        ("/v1/orgs/acme", "{\"name\": null}", "/name", "must be a string, not null"),
        ("/v1/orgs/acme", "{\"name\": [\"x\"]}", "/name", "must be a string, not an array"),
        (
            "/v1/orgs/acme/settings",
            "{\"branding\": true}",
            "/branding",
            "must be a JSON object, not a boolean",
        ),
        (
            "/v1/orgs/acme/settings",
            "{\"branding\": {\"color\": {}}}",
            "/branding/color",
            "must be a string, not an object",
        ),
        ("/v1/me", "{\"x\": 1}", "/x", "unknown field; expected `name` or `image_url`"),
    ] {
        let response = send_raw(t, "PATCH", path, body).await.problem(422, "invalid_body");
        assert_eq!(
            (response.text("/errors/0/pointer"), response.text("/errors/0/detail")),
            (pointer.to_owned(), detail.to_owned()),
            "{body}"
        );
    }
}
