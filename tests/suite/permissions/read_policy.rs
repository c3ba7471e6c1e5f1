//! `read_policy`.

use postern_tests::{App, on_both};
use serde_json::json;

on_both![every_user_reads_the_policy];

async fn every_user_reads_the_policy(t: &App) {
    let policy =
        t.sign_in("viewer@acme.example").await.get("/v1/admin/permissions").await.expect(200).json;
    let manage = policy["data"]
        .as_array()
        .expect("data is an array")
        .iter()
        .find(|entry| entry["permission"] == "members:manage");
    assert_eq!(
        manage.expect("the permission is listed")["roles"],
        json!(["admin", "owner"]),
        "admins and owners manage members"
    );
}
