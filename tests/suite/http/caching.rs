//! Entity tags and conditional requests (RFC 9110).

use postern_tests::{App, Response, on_both};

on_both![matching_etag_returns_304];

async fn matching_etag_returns_304(t: &App) {
    for path in ["/openapi.json", "/docs/", "/docs/operator.js", "/docs/swagger-ui-bundle.js"] {
        let get_if_none_match = |etags: String| async {
            Response::of(
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
