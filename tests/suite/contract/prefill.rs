//! Request bodies that the documentation page fills in: executing an unedited one is rejected, or
//! changes nothing.

use postern_tests::{App, on_both};
use serde_json::Value;

use super::contract;

on_both![prefilled_bodies_are_rejected_or_empty];

async fn prefilled_bodies_are_rejected_or_empty(t: &App) {
    let bodies = t.anonymous().get("/docs/prefill.json").await.expect(200).json;
    let member = t.member_id("acme", "viewer@acme.example").await;
    let user = t.user_id("support@postern.example").await;
    let contract = contract();
    let paths = contract["paths"].as_object().expect("paths is an object");
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("a path is an object") {
            let id = operation["operationId"].as_str().expect("operationId is a string");
            assert_eq!(
                operation.get("requestBody").is_some(),
                bodies.get(id).is_some(),
                "{id}: a body is prefilled if the operation takes one"
            );
            let path =
                path.replace("{org}", "acme").replace("{member}", &member).replace("{user}", &user);
            for body in bodies[id].as_object().into_iter().flat_map(|forms| forms.values()) {
                execute(t, method, &path, body).await;
            }
        }
    }
}

/// Executes an operation as a caller with all permissions.
async fn execute(t: &App, method: &str, path: &str, body: &Value) {
    let email =
        if path.starts_with("/v1/admin/") { "super@postern.example" } else { "owner@acme.example" };
    let response = t
        .sign_in(email)
        .await
        .request(&method.to_uppercase(), path)
        .header("idempotency-key", "prefilled")
        .json(body)
        .send()
        .await
        .expect("the server responds");
    let changes_nothing = body.as_object().is_some_and(serde_json::Map::is_empty);
    assert!(
        response.status().is_client_error() || changes_nothing,
        "{method} {path} with {body}: status {}",
        response.status()
    );
}
