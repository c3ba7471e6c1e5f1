//! Secrets are neither in the audit log nor, in clear, in stored responses.

use postern_tests::{App, Backend, PASSWORD, on_both};
use serde_json::json;

on_both![secrets_are_not_recorded];

async fn secrets_are_not_recorded(t: &App) {
    let marker = "S3cr3t-marker-of-four-words";
    t.log_in("owner@acme.example", marker).await.problem(401, "invalid_credentials");
    let member = t.sign_in("member@acme.example").await;
    member
        .post(
            "/v1/me/password",
            json!({ "current_password": marker, "new_password": "fine new words here" }),
        )
        .await
        .problem(403, "wrong_password");
    member
        .post("/v1/me/password", json!({ "current_password": PASSWORD, "new_password": marker }))
        .await
        .expect(204);
    let signed_in = t.log_in("member@acme.example", marker).await.expect(200);
    let support = t.sign_in("support@postern.example").await;
    let (target, started) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    target.get(&format!("/v1/me?token={marker}")).await.problem(400, "invalid_query");
    let text = if t.backend == Backend::Sqlite { "metadata" } else { "metadata::text" };
    let columns = format!(
        "summary || ' ' || target_label || ' ' || {text} || ' ' || coalesce(user_agent, '') || ' ' \
         || coalesce(reason, '')"
    );
    let log = t.db.texts(&format!("SELECT {columns} FROM audit_event")).await.join("\n");
    let tokens = [
        signed_in.text("/access_token"),
        signed_in.text("/refresh_token"),
        started["access_token"].as_str().expect("access_token is a string").to_owned(),
    ];
    for secret in tokens.iter().map(String::as_str).chain([marker, PASSWORD, "$argon2"]) {
        assert!(!log.contains(secret), "the audit log does not contain {secret}");
    }
    let response_column =
        if t.backend == Backend::Sqlite { "hex(response)" } else { "encode(response, 'hex')" };
    let stored =
        t.db.texts(&format!("SELECT {response_column} FROM idempotency_key"))
            .await
            .concat()
            .to_lowercase();
    assert!(
        !stored.is_empty() && !stored.contains("6163636573735f746f6b656e"),
        "stored responses are encrypted: they do not contain `access_token`"
    );
}
