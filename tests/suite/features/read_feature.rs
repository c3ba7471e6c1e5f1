//! `read_feature` and `list_features`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![features_state_their_source, all_features_are_listed, unknown_feature_is_not_found];

async fn features_state_their_source(t: &App) {
    let sso = |org: &'static str| async move {
        let viewer = t.sign_in(&format!("viewer@{org}.example")).await;
        let feature = viewer.get(&format!("/v1/orgs/{org}/features/sso")).await.expect(200).json;
        (feature["enabled"].clone(), feature["decided_by"].clone())
    };
    assert_eq!(sso("acme").await, (json!(true), json!("plan")), "the plan enables the feature");
    assert_eq!(
        sso("globex").await,
        (json!(true), json!("override")),
        "an override enables the feature"
    );
    assert_eq!(
        sso("initech").await,
        (json!(false), json!("default")),
        "the default disables the feature"
    );
    t.clock.advance(chrono::TimeDelta::days(30));
    assert_eq!(
        sso("globex").await,
        (json!(false), json!("default")),
        "an expired override does not apply"
    );
}

async fn unknown_feature_is_not_found(t: &App) {
    let viewer = t.sign_in("viewer@acme.example").await;
    viewer.get("/v1/orgs/acme/features/flying").await.problem(404, "not_found");
}

async fn all_features_are_listed(t: &App) {
    let viewer = t.sign_in("viewer@acme.example").await;
    assert_eq!(
        viewer.get("/v1/orgs/acme/features").await.expect(200).json["data"]
            .as_array()
            .map(Vec::len),
        Some(5),
        "all features are listed"
    );
}
