//! Compression of responses.

use postern_tests::{App, Response, on_both};

on_both![
    responses_are_compressed_on_request,
    responses_with_an_etag_are_not_compressed,
    unacceptable_encodings_are_ignored,
];

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
}

/// A strong `ETag` identifies the exact bytes.
async fn responses_with_an_etag_are_not_compressed(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for encoding in ["gzip", "gzip, identity;q=0.1"] {
        let settings = owner
            .request("GET", "/v1/orgs/acme/settings")
            .header("accept-encoding", encoding)
            .send()
            .await;
        let settings = Response::of(settings).await.expect(200);
        assert!(
            !settings.has_header("content-encoding") && settings.json["version"].is_number(),
            "{encoding}: settings are not compressed"
        );
    }
}

/// Without an acceptable encoding, the response is sent uncompressed.
async fn unacceptable_encodings_are_ignored(t: &App) {
    for encodings in ["identity;q=0", "*;q=0", "br, identity;q=0"] {
        let response = t
            .anonymous()
            .request("GET", "/healthz")
            .header("accept-encoding", encodings)
            .send()
            .await;
        assert!(
            !Response::of(response).await.expect(200).has_header("content-encoding"),
            "{encodings}: uncompressed"
        );
    }
}
