//! `list_audit_actions`: the catalogue of audit actions, equal to that of the domain.

use postern_api::operations::TABLE;
use postern_domain::{action::Action, metadata};
use postern_tests::{App, Response, on_both};
use serde_json::Value;

on_both![every_action_is_described, unchanged_catalogue_is_not_sent_again];

async fn every_action_is_described(t: &App) {
    let member = t.sign_in("viewer@acme.example").await;
    let list = member.get("/v1/audit-actions").await.expect(200);
    let actions = list.json["data"].as_array().expect("data is an array");
    let names: Vec<&str> = actions.iter().filter_map(|action| action["action"].as_str()).collect();
    let expected: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
    assert_eq!(names, expected, "the list has every action once, in the order of the catalogue");
    for (known, action) in Action::ALL.iter().zip(actions) {
        assert!(
            ["description", "target_type"]
                .iter()
                .all(|field| action[field].as_str().is_some_and(|text| text.len() > 2)),
            "{known} is described: {action}"
        );
        let summaries = action["sample_summaries"].as_array().expect("an array");
        assert!(summaries.iter().all(Value::is_string) && !summaries.is_empty(), "{action}");
        let schema = &action["metadata_schema"];
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{known}: the schema states its dialect"
        );
        let fields = schema["properties"].as_object().expect("the schema has properties");
        assert!(
            known.metadata().iter().all(|field| fields.contains_key(field.name))
                && fields.len() == known.metadata().len(),
            "{known}: the schema has the declared fields: {schema}"
        );
        assert_references_resolve(schema);
        let recorded_by: Vec<&str> = TABLE
            .iter()
            .filter(|row| row.records.actions().contains(known))
            .map(|row| row.id)
            .collect();
        assert_eq!(
            action["operations"],
            Value::from(recorded_by),
            "{known}: the operations that record it"
        );
    }
    let event = &t.events("action=auth.login_succeeded").await[0];
    let fields = event["metadata"].as_object().expect("metadata is an object");
    assert_eq!(metadata::fault(Action::AuthLoginSucceeded.metadata(), fields), None);
}

/// Asserts that a schema is complete: its references lead into itself.
fn assert_references_resolve(schema: &Value) {
    let text = schema.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("the reference is closed");
        assert!(schema.pointer(pointer).is_some(), "{pointer} is in {text}");
    }
}

async fn unchanged_catalogue_is_not_sent_again(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "owner@acme.example", "acme", "read_only").await;
    let first = target.get("/v1/audit-actions").await.expect(200);
    let etag = first.header("etag");
    assert!(etag.starts_with("W/\"") || etag.starts_with('"'), "the list has an ETag: {etag}");
    assert_eq!(first.header("cache-control"), "private, no-cache", "it may be stored");
    for (tag, status) in [(etag.as_str(), 304), ("*", 304), ("\"other\"", 200)] {
        let request = target.request("GET", "/v1/audit-actions").header("if-none-match", tag);
        let again = Response::of(request.send().await).await;
        assert_eq!((again.status, again.body.is_empty()), (status, status == 304), "{tag}");
        assert_eq!(again.header("etag"), etag, "{tag}: the response has the ETag");
    }
    let anonymous = t.anonymous().request("GET", "/v1/audit-actions");
    let anonymous = anonymous.header("if-none-match", etag);
    Response::of(anonymous.send().await).await.problem(401, "unauthenticated");
}
