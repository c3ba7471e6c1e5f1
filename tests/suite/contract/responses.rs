//! Responses of the document: headers and problems.

use postern_api::operations::TABLE;
use serde_json::Value;

use super::{contract, operations};

#[test]
fn responses_list_their_headers() {
    let contract = contract();
    for (id, operation) in operations(&contract) {
        let parameters = operation["parameters"].as_array();
        let paged =
            parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "cursor"));
        let deprecated = TABLE.iter().any(|row| row.id == id && row.deprecated.is_some());
        for (status, response) in responses(&contract, operation) {
            let header = |name: &str| response["headers"].get(name).is_some();
            assert!(header("X-Request-Id"), "{id} {status} lists X-Request-Id");
            assert_eq!(
                header("WWW-Authenticate"),
                status == "401",
                "{id} {status}: only 401 lists WWW-Authenticate"
            );
            assert_eq!(
                header("Location"),
                status == "201",
                "{id} {status}: only 201 lists Location"
            );
            assert_eq!(
                header("Link"),
                deprecated || paged && status == "200",
                "{id} {status}: pages and deprecated operations list Link"
            );
            assert_eq!(
                (header("Deprecation"), header("Sunset")),
                (deprecated, deprecated),
                "{id} {status}: only deprecated operations list Deprecation and Sunset"
            );
        }
    }
}

#[test]
fn problem_responses_have_an_example_per_code() {
    let contract = contract();
    for (id, operation) in operations(&contract) {
        for (status, response) in
            responses(&contract, operation).filter(|(status, _)| *status >= "400")
        {
            let examples = response["content"]["application/problem+json"]["examples"]
                .as_object()
                .expect("examples is an object");
            let retryable =
                ["idempotency_in_flight", "too_many_attempts", "too_many_streams", "unavailable"];
            assert_eq!(
                response["headers"].get("Retry-After").is_some(),
                retryable.iter().any(|code| examples.contains_key(*code)),
                "{id} {status}: only responses that can be retried list Retry-After"
            );
            for (code, example) in examples {
                assert_eq!(
                    (&example["value"]["code"], example["value"]["status"].to_string()),
                    (&Value::from(code.as_str()), status.to_owned()),
                    "{id} {status}: the example has the code and status"
                );
            }
        }
    }
}

/// Responses of an operation by status, with references resolved.
fn responses<'a>(
    contract: &'a Value,
    operation: &'a Value,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let responses = operation["responses"].as_object().expect("responses is an object");
    responses.iter().map(|(status, response)| {
        let resolved = response["$ref"].as_str().map_or(response, |reference| {
            contract.pointer(reference.trim_start_matches('#')).expect("the reference resolves")
        });
        (status.as_str(), resolved)
    })
}
