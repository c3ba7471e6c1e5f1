//! The contract: what is served is what is committed, and says of every operation what a reader needs.

use postern_api::operations::TABLE;
use postern_domain::{
    action::Action,
    event::{ActorType, Outcome, TargetType},
    feature::{FeatureKey, Plan},
    impersonation::Mode,
    operation::{Demand, ScopeKind},
    role::Role,
    staff::Tier,
};
use postern_tests::{App, on_both};
use serde_json::Value;

on_both![the_server_serves_its_contract, every_problem_has_a_page];

async fn the_server_serves_its_contract(t: &App) {
    let served = t.anonymous().get("/openapi.json").await.expect(200);
    assert!(served.body == include_str!("../../openapi/openapi.json"), "another contract than openapi/openapi.json: run `make golden`");
    let page = t.anonymous().get("/docs/").await.expect(200);
    assert!(page.body.contains("swagger-ui") && page.header("content-security-policy").contains("script-src 'self';"));
    for part in ["operator.js", "operator.css", "swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"] {
        t.anonymous().get(&format!("/docs/{part}")).await.expect(200);
    }
    t.anonymous().get("/nowhere").await.problem(404, "not_found");
}

async fn every_problem_has_a_page(t: &App) {
    for code in postern_api::http::Code::ALL {
        let page = t.anonymous().get(&format!("/problems/{}", code.name())).await.expect(200);
        assert_eq!(page.json["status"], code.status().as_u16());
    }
    t.anonymous().get("/problems/other").await.problem(404, "not_found");
}

fn contract() -> Value {
    serde_json::from_str(&postern_api::openapi()).expect("JSON")
}

fn operations(contract: &Value) -> Vec<(String, &Value)> {
    let paths = contract["paths"].as_object().expect("paths");
    let methods = paths.values().flat_map(|path| path.as_object().expect("methods").values());
    methods.map(|operation| (operation["operationId"].as_str().expect("an id").to_owned(), operation)).collect()
}

#[test]
fn it_is_printed_the_same_every_time() {
    assert_eq!(postern_api::openapi(), postern_api::openapi());
    assert_eq!(postern_api::operations_table(), include_str!("../../openapi/operations.md"), "run `make golden`");
    assert_eq!(postern_api::permissions_table(), include_str!("../../openapi/permissions.md"), "run `make golden`");
    assert_eq!(postern_api::problems_table(), include_str!("../../openapi/problems.md"), "run `make golden`");
    assert_eq!(postern_api::actions_table(), include_str!("../../openapi/audit-actions.md"), "run `make golden`");
}

#[test]
fn every_operation_is_described() {
    let contract = contract();
    assert_eq!(contract["openapi"], "3.1.0");
    let operations = operations(&contract);
    assert_eq!(operations.len(), TABLE.len());
    for (id, operation) in operations {
        let row = TABLE.iter().find(|row| row.id == id).expect("a row");
        for field in ["summary", "description"] {
            assert!(operation[field].as_str().is_some_and(|text| text.len() > 5), "{id} has no {field}");
        }
        assert!(operation["description"].as_str().is_some_and(|text| !text.starts_with("**Who")), "{id} has no words of its own");
        let tags = operation["tags"].as_array().expect("tags");
        let introduced = |tag: &Value| contract["tags"].as_array().expect("tags").iter().any(|one| one["name"] == *tag);
        assert!(tags.len() == 1 && introduced(&tags[0]), "{id} stands under one heading that is introduced");
        let responses = operation["responses"].as_object().expect("answers");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{id} has no good answer");
        assert!(responses.contains_key("500"), "{id}");
        let signed_in = row.scope != ScopeKind::Public;
        assert_eq!(responses.contains_key("401"), signed_in || ["login", "refresh"].contains(&id.as_str()), "{id}");
        assert_eq!(operation["security"] == serde_json::json!([]), !signed_in, "{id}");
        assert_eq!(operation["x-required-permission"].is_string(), signed_in, "{id}");
        assert_eq!(operation.get("x-audit-action").is_some(), !row.records.actions().is_empty(), "{id}");
        assert_eq!(operation["x-impersonation"], row.impersonated.name(), "{id}");
        for response in responses.iter().filter(|(status, _)| status.starts_with('2')).map(|(_, response)| response) {
            let content = &response["content"]["application/json"];
            let json = response["content"].as_object().is_some_and(|kinds| kinds.contains_key("application/json"));
            assert!(!json || !content["example"].is_null(), "{id} has no example of its answer");
        }
        if let Some(body) = operation.get("requestBody") {
            assert!(!body["content"]["application/json"]["example"].is_null(), "{id} has no example of its body");
        }
    }
}

#[test]
fn closed_lists_are_those_of_the_domain() {
    let contract = contract();
    let listed = |schema: &str| contract["components"]["schemas"][schema]["enum"].clone();
    assert_eq!(listed("Role"), Role::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("Tier"), Tier::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("Plan"), Plan::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("FeatureKey"), FeatureKey::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("Outcome"), Outcome::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("ActorType"), ActorType::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("TargetType"), TargetType::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("Mode"), Mode::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("Action"), Action::ALL.iter().map(|word| word.name()).collect::<Value>());
}

#[test]
fn what_is_demanded_is_required() {
    let contract = contract();
    for (id, operation) in operations(&contract) {
        let row = TABLE.iter().find(|row| row.id == id).expect("a row");
        let reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let schema =
            reference.map_or(&Value::Null, |reference| &contract["components"]["schemas"][reference.rsplit('/').next().expect("a name")]);
        let required = |field: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == field));
        let header = |name: &str| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            parameters.into_iter().any(|one| one["name"] == name && one["required"] == true)
        };
        assert_eq!(required("reason"), row.demands.contains(&Demand::Reason), "{id}");
        assert_eq!(required("ticket_ref"), row.demands.contains(&Demand::Ticket), "{id}");
        assert_eq!(header("Idempotency-Key"), row.demands.contains(&Demand::IdempotencyKey), "{id}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, member)| match member {
                Value::String(reference) if key == "$ref" => found.push(reference),
                _ => walk(member, found),
            }),
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let contract = contract();
    let mut found = Vec::new();
    walk(&contract, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(contract.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
}
