//! Operations of the document: described, and equal to the operations table.

use postern_api::operations::TABLE;
use postern_domain::{
    operation::{Demand, Operation},
    scope::ScopeKind,
};
use serde_json::{Value, json};

use super::{contract, operations};

/// The operation's row in the table.
fn row(id: &str) -> &'static Operation {
    TABLE.iter().find(|row| row.id == id).expect("the operation is in the table")
}

#[test]
fn every_operation_is_described() {
    let contract = contract();
    for (id, operation) in operations(&contract) {
        for field in ["summary", "description"] {
            assert!(
                operation[field].as_str().is_some_and(|text| text.len() > 5),
                "{id} has a {field}"
            );
        }
        assert!(
            operation["description"].as_str().is_some_and(|text| !text.starts_with("**Access")),
            "{id} has a description besides the generated policy text"
        );
        let tags = operation["tags"].as_array().expect("tags is an array");
        let is_declared = |tag: &Value| {
            let declared = contract["tags"].as_array().expect("tags is an array");
            declared.iter().any(|declared| declared["name"] == *tag)
        };
        assert!(
            tags.len() == 1 && is_declared(&tags[0]),
            "{id} has one tag, and the document declares it"
        );
    }
}

#[test]
fn every_operation_has_responses_and_examples() {
    for (id, operation) in operations(&contract()) {
        let responses = operation["responses"].as_object().expect("responses is an object");
        let mut successes =
            responses.iter().filter(|(status, _)| status.starts_with('2')).peekable();
        assert!(successes.peek().is_some(), "{id} has a success response");
        assert!(responses.contains_key("500"), "{id} has a 500 response");
        for (_, response) in successes {
            let content = &response["content"]["application/json"];
            let json = response["content"]
                .as_object()
                .is_some_and(|kinds| kinds.contains_key("application/json"));
            assert!(!json || !content["example"].is_null(), "{id} has an example for its response");
        }
        if let Some(body) = operation.get("requestBody") {
            assert!(
                !body["content"]["application/json"]["example"].is_null(),
                "{id} has an example for its body"
            );
        }
    }
}

#[test]
fn operations_match_the_table() {
    let contract = contract();
    assert_eq!(contract["openapi"], "3.1.0", "the document is OpenAPI 3.1");
    let operations = operations(&contract);
    assert_eq!(operations.len(), TABLE.len(), "the document has every operation of the table");
    for (id, operation) in operations {
        let row = row(&id);
        let signed_in = row.scope != ScopeKind::Public;
        assert_eq!(
            operation["responses"].get("401").is_some(),
            signed_in || ["login", "refresh"].contains(&id.as_str()),
            "{id} has a 401 response if it requires a token or a credential"
        );
        assert_eq!(
            operation["security"] == json!([]),
            !signed_in,
            "{id} has no security requirement if it is public"
        );
        assert_eq!(
            operation["x-required-permission"].is_string(),
            signed_in,
            "{id} states its permission unless it is public"
        );
        assert_eq!(
            operation.get("x-audit-action").is_some(),
            !row.records.actions().is_empty(),
            "{id} states its audit actions if it records any"
        );
        assert_eq!(
            operation["x-impersonation"],
            row.impersonated.name(),
            "{id} states its impersonation rule"
        );
    }
}

/// RFC 9110 gives the body of a DELETE request no meaning, and proxies drop it.
#[test]
fn only_post_put_and_patch_have_a_body() {
    let contract = contract();
    for (path, item) in contract["paths"].as_object().expect("paths are an object") {
        for method in ["get", "head", "delete", "options"] {
            let body = item.pointer(&format!("/{method}/requestBody"));
            assert_eq!(body, None, "{method} {path} has no body");
        }
    }
}

#[test]
fn demands_are_required_in_the_contract() {
    let contract = contract();
    for (id, operation) in operations(&contract) {
        let row = row(&id);
        let reference =
            operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let schema = reference.map_or(&Value::Null, |reference| {
            &contract["components"]["schemas"]
                [reference.rsplit('/').next().expect("the reference ends with a name")]
        });
        let required = |field: &str| {
            schema["required"]
                .as_array()
                .is_some_and(|names| names.iter().any(|name| name == field))
        };
        let header = |name: &str| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            parameters
                .into_iter()
                .any(|parameter| parameter["name"] == name && parameter["required"] == true)
        };
        assert_eq!(
            required("reason"),
            row.demands.contains(&Demand::Reason),
            "{id} requires a reason if its row demands one"
        );
        assert_eq!(
            required("ticket_ref"),
            row.demands.contains(&Demand::Ticket),
            "{id} requires a ticket if its row demands one"
        );
        assert_eq!(
            header("Idempotency-Key"),
            row.demands.contains(&Demand::IdempotencyKey),
            "{id} requires an idempotency key if its row demands one"
        );
    }
}
