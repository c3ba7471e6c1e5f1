//! The contract: what is served is what is committed, and says of every operation what a reader needs.

use postern_api::operations::TABLE;
use postern_domain::{
    action::Action,
    event::{ActorType, Outcome, TargetType},
    feature::{FeatureKey, Plan},
    impersonation::Mode,
    operation::Demand,
    role::Role,
    scope::ScopeKind,
    staff::Tier,
};
use postern_tests::{Answer, App, on_both};
use serde_json::Value;

on_both![contract_and_swagger_ui_are_served, every_problem_has_a_page];

async fn contract_and_swagger_ui_are_served(t: &App) {
    let served = t.anonymous().get("/openapi.json").await.expect(200);
    assert!(
        served.body == include_str!("../../openapi/openapi.json"),
        "another contract than openapi/openapi.json: run `make golden`"
    );
    let page = t.anonymous().get("/docs/").await.expect(200);
    assert!(
        page.body.contains("swagger-ui")
            && page.header("content-security-policy").contains("script-src 'self';")
    );
    for part in [
        "operator.js",
        "operator.css",
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "favicon-32x32.png",
    ] {
        t.anonymous().send("HEAD", &format!("/docs/{part}"), None).await.expect(200);
    }
    t.anonymous().get("/docs/other").await.problem(404, "not_found");
    t.anonymous().get("/nowhere").await.problem(404, "not_found");
}

async fn every_problem_has_a_page(t: &App) {
    for code in postern_api::http::Code::ALL {
        let page = t.anonymous().get(&format!("/problems/{}", code.name())).await.expect(200);
        assert_eq!(page.json["status"], code.status().as_u16());
        // A person's browser asks for HTML, and would rather have that than anything.
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let page = t
            .anonymous()
            .request("GET", &format!("/problems/{}", code.name()))
            .header("accept", browser)
            .send()
            .await;
        let page = Answer::of(page).await.expect(200);
        assert_eq!(
            (page.header("content-type").as_str(), page.header("vary").contains("accept")),
            ("text/html; charset=utf-8", true)
        );
        assert!(page.body.contains(&format!("<h1>{}</h1>", code.title())), "{}", page.body);
        assert!(
            ![code.title(), code.remedy()].iter().any(|text| text.contains(['<', '>', '&'])),
            "{}",
            code.name()
        );
    }
    t.anonymous().get("/problems/other").await.problem(404, "not_found");
}

fn contract() -> Value {
    serde_json::from_str(&postern_api::openapi()).expect("JSON")
}

fn operations(contract: &Value) -> Vec<(String, &Value)> {
    let paths = contract["paths"].as_object().expect("paths");
    let methods = paths.values().flat_map(|path| path.as_object().expect("methods").values());
    methods
        .map(|operation| (operation["operationId"].as_str().expect("an id").to_owned(), operation))
        .collect()
}

#[test]
fn generated_files_are_up_to_date() {
    assert_eq!(postern_api::openapi(), postern_api::openapi());
    assert_eq!(
        postern_api::operations_table(),
        include_str!("../../openapi/operations.md"),
        "run `make golden`"
    );
    assert_eq!(
        postern_api::permissions_table(),
        include_str!("../../openapi/permissions.md"),
        "run `make golden`"
    );
    assert_eq!(
        postern_api::problems_table(),
        include_str!("../../openapi/problems.md"),
        "run `make golden`"
    );
    assert_eq!(
        postern_api::actions_table(),
        include_str!("../../openapi/audit-actions.md"),
        "run `make golden`"
    );
}

#[test]
fn changelog_lists_the_current_version() {
    let changes = include_str!("../../openapi/CHANGELOG.md");
    let version = contract()["info"]["version"].as_str().expect("a version").to_owned();
    assert!(
        changes.contains(&format!("\n## {version}")),
        "openapi/CHANGELOG.md says nothing of {version}"
    );
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
            assert!(
                operation[field].as_str().is_some_and(|text| text.len() > 5),
                "{id} has no {field}"
            );
        }
        assert!(
            operation["description"].as_str().is_some_and(|text| !text.starts_with("**Who")),
            "{id} has no words of its own"
        );
        let tags = operation["tags"].as_array().expect("tags");
        let introduced = |tag: &Value| {
            contract["tags"].as_array().expect("tags").iter().any(|one| one["name"] == *tag)
        };
        assert!(
            tags.len() == 1 && introduced(&tags[0]),
            "{id} stands under one heading that is introduced"
        );
        let responses = operation["responses"].as_object().expect("answers");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{id} has no good answer");
        assert!(responses.contains_key("500"), "{id}");
        let signed_in = row.scope != ScopeKind::Public;
        assert_eq!(
            responses.contains_key("401"),
            signed_in || ["login", "refresh"].contains(&id.as_str()),
            "{id}"
        );
        assert_eq!(operation["security"] == serde_json::json!([]), !signed_in, "{id}");
        assert_eq!(operation["x-required-permission"].is_string(), signed_in, "{id}");
        assert_eq!(
            operation.get("x-audit-action").is_some(),
            !row.records.actions().is_empty(),
            "{id}"
        );
        assert_eq!(operation["x-impersonation"], row.impersonated.name(), "{id}");
        for response in responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(_, response)| response)
        {
            let content = &response["content"]["application/json"];
            let json = response["content"]
                .as_object()
                .is_some_and(|kinds| kinds.contains_key("application/json"));
            assert!(!json || !content["example"].is_null(), "{id} has no example of its answer");
        }
        if let Some(body) = operation.get("requestBody") {
            assert!(
                !body["content"]["application/json"]["example"].is_null(),
                "{id} has no example of its body"
            );
        }
    }
}

#[test]
fn enums_match_the_domain() {
    let contract = contract();
    let listed = |schema: &str| contract["components"]["schemas"][schema]["enum"].clone();
    assert_eq!(listed("Role"), Role::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("Tier"), Tier::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(listed("Plan"), Plan::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(
        listed("FeatureKey"),
        FeatureKey::ALL.iter().map(|word| word.name()).collect::<Value>()
    );
    assert_eq!(listed("Outcome"), Outcome::ALL.iter().map(|word| word.name()).collect::<Value>());
    let actors = &contract["components"]["schemas"]["ActorRef"];
    assert_eq!(actors["discriminator"]["propertyName"], "type");
    for kind in ActorType::ALL {
        let variant = &actors["discriminator"]["mapping"][kind.name()];
        let variant = contract
            .pointer(variant.as_str().expect("a variant").trim_start_matches('#'))
            .expect("it is there");
        assert_eq!(variant["properties"]["type"]["enum"], serde_json::json!([kind.name()]));
    }
    assert_eq!(
        listed("KnownTargetType"),
        TargetType::ALL.iter().map(|word| word.name()).collect::<Value>()
    );
    assert_eq!(listed("Mode"), Mode::ALL.iter().map(|word| word.name()).collect::<Value>());
    assert_eq!(
        listed("KnownProblemCode"),
        postern_api::http::Code::ALL.iter().map(|code| code.name()).collect::<Value>()
    );
    assert_eq!(
        listed("KnownAction"),
        Action::ALL.iter().map(|word| word.name()).collect::<Value>()
    );
}

/// Whether the examples are good ones is what `tests/contract/lint.sh` finds out.
#[test]
fn every_field_has_a_description_and_an_example() {
    fn fields<'a>(path: &str, schema: &'a Value, found: &mut Vec<(String, &'a Value)>) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            found.push((path.clone(), field));
            fields(&path, field, found);
        }
        for part in ["oneOf", "allOf", "anyOf"]
            .into_iter()
            .flat_map(|key| schema[key].as_array().into_iter().flatten())
        {
            fields(path, part, found);
        }
        if let Some(items) = schema.get("items") {
            fields(&format!("{path}[]"), items, found);
        }
    }
    let contract = contract();
    let schemas = contract["components"]["schemas"].as_object().expect("schemas");
    let mut found = Vec::new();
    for (name, schema) in schemas {
        found.push((name.clone(), schema));
        fields(name, schema, &mut found);
    }
    for parameter in operations(&contract)
        .into_iter()
        .flat_map(|(_, operation)| operation["parameters"].as_array().into_iter().flatten())
    {
        assert!(parameter["description"].is_string(), "{parameter}");
    }
    // A reference says what it refers to.
    let followed = |field: &Value| -> Value {
        let reference = |one: &Value| {
            one["$ref"].as_str().and_then(|reference| {
                reference.rsplit('/').next().map(|name| schemas[name].clone())
            })
        };
        let choice = || field["oneOf"].as_array().and_then(|all| all.iter().find_map(reference));
        reference(field).or_else(choice).unwrap_or_default()
    };
    let mute = |field: &Value| {
        let said = |one: &Value| one["description"].as_str().is_some_and(|text| text.len() > 5);
        let in_place = field["oneOf"].as_array().is_some_and(|all| all.iter().any(said));
        !said(field) && !in_place && !said(&followed(field))
    };
    let unshown = |field: &Value| {
        let shown = ["example", "examples", "enum", "const", "$ref", "oneOf", "allOf"]
            .iter()
            .any(|key| field.get(*key).is_some());
        !shown && !["boolean", "array", "object", "null"].iter().any(|kind| field["type"] == *kind)
    };
    let said_nothing: Vec<&str> =
        found.iter().filter(|(_, field)| mute(field)).map(|(path, _)| path.as_str()).collect();
    assert!(said_nothing.is_empty(), "nobody says what these are: {said_nothing:#?}");
    let shown_nothing: Vec<&str> =
        found.iter().filter(|(_, field)| unshown(field)).map(|(path, _)| path.as_str()).collect();
    assert!(shown_nothing.is_empty(), "nobody says what these look like: {shown_nothing:#?}");
}

/// What can go wrong is shown for each code that can come, and what an answer says in its headers is told.
#[test]
fn problems_and_headers_are_described() {
    let contract = contract();
    let resolve = |response: &Value| -> Value {
        response["$ref"].as_str().map_or_else(
            || response.clone(),
            |at| contract.pointer(at.trim_start_matches('#')).expect("it is there").clone(),
        )
    };
    for (id, operation) in operations(&contract) {
        let paged = operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == "cursor"));
        for (status, response) in operation["responses"].as_object().expect("answers") {
            let response = resolve(response);
            let header = |name: &str| response["headers"].get(name).is_some();
            assert!(header("X-Request-Id"), "{id} {status}");
            assert_eq!(header("WWW-Authenticate"), status == "401", "{id} {status}");
            assert_eq!(header("Location"), status == "201", "{id} {status}");
            let goes = TABLE.iter().any(|row| row.id == id && row.deprecated.is_some());
            assert_eq!(header("Link"), goes || paged && status == "200", "{id} {status}");
            assert_eq!((header("Deprecation"), header("Sunset")), (goes, goes), "{id} {status}");
            if status.as_str() >= "400" {
                let examples = response["content"]["application/problem+json"]["examples"]
                    .as_object()
                    .expect("examples");
                let passes =
                    ["idempotency_in_flight", "too_many_attempts", "too_many_open", "unavailable"];
                assert_eq!(
                    header("Retry-After"),
                    passes.iter().any(|code| examples.contains_key(*code)),
                    "{id} {status}"
                );
                for (code, example) in examples {
                    assert_eq!(
                        (&example["value"]["code"], example["value"]["status"].to_string()),
                        (&Value::from(code.as_str()), status.clone())
                    );
                }
            }
        }
    }
}

#[test]
fn demands_are_required_in_the_contract() {
    let contract = contract();
    for (id, operation) in operations(&contract) {
        let row = TABLE.iter().find(|row| row.id == id).expect("a row");
        let reference =
            operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let schema = reference.map_or(&Value::Null, |reference| {
            &contract["components"]["schemas"][reference.rsplit('/').next().expect("a name")]
        });
        let required = |field: &str| {
            schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == field))
        };
        let header = |name: &str| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            parameters.into_iter().any(|one| one["name"] == name && one["required"] == true)
        };
        assert_eq!(required("reason"), row.demands.contains(&Demand::Reason), "{id}");
        assert_eq!(required("ticket_ref"), row.demands.contains(&Demand::Ticket), "{id}");
        assert_eq!(
            header("Idempotency-Key"),
            row.demands.contains(&Demand::IdempotencyKey),
            "{id}"
        );
    }
}

#[test]
fn every_reference_resolves() {
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
        assert!(
            contract.pointer(reference.trim_start_matches('#')).is_some(),
            "{reference} leads nowhere"
        );
    }
}
