//! `update_org`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![update_without_a_change_is_not_recorded];

async fn update_without_a_change_is_not_recorded(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme International" })).await.expect(200);
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme International" })).await.expect(200);
    assert_eq!(
        t.recorded("org.updated").await,
        1,
        "only the first of two equal updates is recorded"
    );
}
