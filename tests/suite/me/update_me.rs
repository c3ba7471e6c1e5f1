//! `update_me`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![profile_is_updated];

async fn profile_is_updated(t: &App) {
    let me = t.sign_in("member@acme.example").await;
    let changed = me
        .patch(
            "/v1/me",
            json!({ "name": "Mia Berg", "image_url": "https://cdn.acme.example/mia.png" }),
        )
        .await
        .expect(200);
    assert_eq!(changed.json["name"], "Mia Berg", "the name is changed");
    me.patch("/v1/me", json!({ "image_url": null })).await.expect(200);
    me.patch("/v1/me", json!({})).await.expect(200);
    me.patch("/v1/me", json!({ "image_url": "http://127.0.0.1/x" }))
        .await
        .problem(422, "invalid_body");
    let events = t.events("action=user.profile_updated").await;
    assert_eq!(events.len(), 2, "unchanged profiles are not recorded");
    assert_eq!(
        events[1]["metadata"]["name"],
        json!({ "old": "Mia Lund", "new": "Mia Berg" }),
        "the event has the old and new name"
    );
}
