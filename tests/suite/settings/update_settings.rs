//! `update_settings`: versions, unchanged values, invalid values.

use futures_util::future::join_all;
use postern_tests::{App, Person, Response, on_both};
use serde_json::{Value, json};

on_both![
    updates_check_the_version,
    updates_without_a_change_keep_the_version,
    if_match_lists_quoted_tags,
    support_email_is_normalized,
    invalid_settings_are_rejected,
    concurrent_updates_of_one_version_succeed_once,
];

async fn updates_check_the_version(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    let read = admin.get("/v1/orgs/acme/settings").await.expect(200);
    let etag = read.header("etag");
    let edited =
        update(&admin, &etag, json!({ "branding": { "color": "#00ff00" } })).await.expect(200);
    assert_ne!(edited.header("etag"), etag, "the ETag changes");
    assert_eq!(
        edited.json["support_email"], read.json["support_email"],
        "omitted fields are unchanged"
    );
    for stale in [&*etag, "\"nonsense\"", "\"+2\"", "W/\"2\"", "\"7\", \"8\""] {
        update(&admin, stale, json!({ "support_email": null })).await.problem(412, "stale");
    }
    update(&admin, "unquoted", json!({ "support_email": null }))
        .await
        .problem(400, "invalid_header");
    update(&admin, "\"7\", \"2\"", json!({ "branding": { "color": "#00ff00" } })).await.expect(200);
    assert_eq!(
        t.recorded("settings.updated").await,
        1,
        "only the update with a change is recorded"
    );
}

async fn updates_without_a_change_keep_the_version(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    let etag = admin.get("/v1/orgs/acme/settings").await.expect(200).header("etag");
    let cleared = update(&admin, &etag, json!({ "support_email": null })).await.expect(200);
    assert_eq!(cleared.json["support_email"], json!(null), "the address is cleared");
    let unchanged =
        admin.patch("/v1/orgs/acme/settings", json!({ "support_email": null })).await.expect(200);
    assert_eq!(
        unchanged.header("etag"),
        cleared.header("etag"),
        "an update without changes keeps the ETag"
    );
    assert_eq!(
        t.recorded("settings.updated").await,
        1,
        "only the update with a change is recorded"
    );
}

async fn invalid_settings_are_rejected(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    for invalid in [
        json!({ "branding": { "color": "green" } }),
        json!({ "branding": { "logo_url": "https://169.254.169.254/x" } }),
        json!({ "limits": { "max_users": 1 } }),
        json!({ "support_email": "no-address" }),
        json!({ "support_email": "it@\r\nacme.example" }),
        json!({ "branding": null }),
        json!({ "branding": [null, null] }),
    ] {
        admin.patch("/v1/orgs/acme/settings", invalid).await.problem(422, "invalid_body");
    }
    assert_eq!(t.recorded("settings.updated").await, 0, "nothing is changed");
}

async fn concurrent_updates_of_one_version_succeed_once(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    let etag = admin.get("/v1/orgs/acme/settings").await.expect(200).header("etag");
    let requests = (0..10)
        .map(|n| update(&admin, &etag, json!({ "branding": { "color": format!("#00000{n}") } })));
    let responses = join_all(requests).await;
    assert_eq!(
        responses.iter().filter(|response| response.status == 200).count(),
        1,
        "one of ten concurrent updates of the same version succeeds"
    );
}

/// Updates the settings of acme if their `ETag` is in `if_match`.
async fn update(caller: &Person<'_>, if_match: &str, body: Value) -> Response {
    let request =
        caller.request("PATCH", "/v1/orgs/acme/settings").header("if-match", if_match).json(&body);
    Response::of(request.send().await).await
}

async fn if_match_lists_quoted_tags(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    let read = admin.get("/v1/orgs/acme/settings").await.expect(200);
    let etag = read.header("etag");
    let unchanged = json!({});
    for current in [
        etag.clone(),
        format!("\"a,b\", {etag}"),
        format!("{etag},\"c,\""),
        format!(" , {etag} ,"),
        "*".to_owned(),
    ] {
        update(&admin, &current, unchanged.clone()).await.expect(200);
    }
    update(&admin, "\"a,1,b\"", unchanged.clone()).await.problem(412, "stale");
    for malformed in ["\"1", "1\"", "\"1\" \"2\"", "*, \"1\"", ",", "w/\"1\"", "\"a b\""] {
        let response =
            update(&admin, malformed, unchanged.clone()).await.problem(400, "invalid_header");
        assert!(response.text("/detail").contains("If-Match"), "{malformed} is named");
    }
}

async fn support_email_is_normalized(t: &App) {
    let admin = t.sign_in("admin@acme.example").await;
    let body = json!({ "support_email": " \t Help@ACME.example\r\n" });
    let changed = admin.patch("/v1/orgs/acme/settings", body).await.expect(200);
    assert_eq!(changed.json["support_email"], "help@acme.example", "as at sign-in");
}
