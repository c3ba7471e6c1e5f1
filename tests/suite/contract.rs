//! The OpenAPI document: served as committed, complete for every operation, and equal to the
//! domain.

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
        "the served document equals openapi/openapi.json: run `make golden`"
    );
    let page = t.anonymous().get("/docs/").await.expect(200);
    assert!(
        page.body.contains("swagger-ui")
            && page.header("content-security-policy").contains("script-src 'self';"),
        "/docs/ is Swagger UI with a content security policy"
    );
    for asset in [
        "operator.js",
        "operator.css",
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "favicon-32x32.png",
    ] {
        t.anonymous().send("HEAD", &format!("/docs/{asset}"), None).await.expect(200);
    }
    t.anonymous().get("/docs/other").await.problem(404, "not_found");
    t.anonymous().get("/nowhere").await.problem(404, "not_found");
}

async fn every_problem_has_a_page(t: &App) {
    for code in postern_api::http::Code::ALL {
        let page = t.anonymous().get(&format!("/problems/{}", code.name())).await.expect(200);
        assert_eq!(
            page.json["status"],
            code.status().as_u16(),
            "{} has its status in the body",
            code.name()
        );
        // Browsers send an `Accept` header that prefers HTML.
        let browser_accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let page = t
            .anonymous()
            .request("GET", &format!("/problems/{}", code.name()))
            .header("accept", browser_accept)
            .send()
            .await;
        let page = Answer::of(page).await.expect(200);
        assert_eq!(
            (page.header("content-type").as_str(), page.header("vary").contains("accept")),
            ("text/html; charset=utf-8", true),
            "a browser gets HTML, and caches it by `Accept`"
        );
        assert!(
            page.body.contains(&format!("<h1>{}</h1>", code.title())),
            "the page shows the title: {}",
            page.body
        );
        assert!(
            ![code.title(), code.remedy()].iter().any(|text| text.contains(['<', '>', '&'])),
            "the texts of {} contain no HTML characters",
            code.name()
        );
    }
    t.anonymous().get("/problems/other").await.problem(404, "not_found");
}

fn contract() -> Value {
    serde_json::from_str(&postern_api::openapi()).expect("the text is valid JSON")
}

fn operations(contract: &Value) -> Vec<(String, &Value)> {
    let paths = contract["paths"].as_object().expect("paths is an object");
    let methods =
        paths.values().flat_map(|path| path.as_object().expect("a path is an object").values());
    methods
        .map(|operation| {
            (
                operation["operationId"].as_str().expect("operationId is a string").to_owned(),
                operation,
            )
        })
        .collect()
}

#[test]
fn generated_files_are_up_to_date() {
    assert_eq!(
        postern_api::openapi(),
        postern_api::openapi(),
        "the document is the same each time"
    );
    assert_eq!(
        postern_api::operations_table(),
        include_str!("../../openapi/operations.md"),
        "openapi/operations.md is up to date: run `make golden`"
    );
    assert_eq!(
        postern_api::permissions_table(),
        include_str!("../../openapi/permissions.md"),
        "openapi/permissions.md is up to date: run `make golden`"
    );
    assert_eq!(
        postern_api::problems_table(),
        include_str!("../../openapi/problems.md"),
        "openapi/problems.md is up to date: run `make golden`"
    );
    assert_eq!(
        postern_api::actions_table(),
        include_str!("../../openapi/audit-actions.md"),
        "openapi/audit-actions.md is up to date: run `make golden`"
    );
}

#[test]
fn changelog_lists_the_current_version() {
    let changes = include_str!("../../openapi/CHANGELOG.md");
    let version = contract()["info"]["version"].as_str().expect("version is a string").to_owned();
    assert!(
        changes.contains(&format!("\n## {version}")),
        "openapi/CHANGELOG.md has a section for {version}"
    );
}

#[test]
fn every_operation_is_described() {
    let contract = contract();
    assert_eq!(contract["openapi"], "3.1.0", "the document is OpenAPI 3.1");
    let operations = operations(&contract);
    assert_eq!(operations.len(), TABLE.len(), "the document has every operation of the table");
    for (id, operation) in operations {
        let row = TABLE.iter().find(|row| row.id == id).expect("the operation is in the table");
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
        let declared = |tag: &Value| {
            let tags = contract["tags"].as_array().expect("tags is an array");
            tags.iter().any(|declared| declared["name"] == *tag)
        };
        assert!(
            tags.len() == 1 && declared(&tags[0]),
            "{id} has one tag, and the document declares it"
        );
        let responses = operation["responses"].as_object().expect("responses is an object");
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{id} has a success response"
        );
        assert!(responses.contains_key("500"), "{id} has a 500 response");
        let signed_in = row.scope != ScopeKind::Public;
        assert_eq!(
            responses.contains_key("401"),
            signed_in || ["login", "refresh"].contains(&id.as_str()),
            "{id} has a 401 response if it requires a token or a credential"
        );
        assert_eq!(
            operation["security"] == serde_json::json!([]),
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
        for response in responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(_, response)| response)
        {
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
fn enums_match_the_domain() {
    let contract = contract();
    let enum_of = |schema: &str| contract["components"]["schemas"][schema]["enum"].clone();
    assert_eq!(
        enum_of("Role"),
        Role::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "Role lists the domain's roles"
    );
    assert_eq!(
        enum_of("Tier"),
        Tier::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "Tier lists the domain's tiers"
    );
    assert_eq!(
        enum_of("Plan"),
        Plan::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "Plan lists the domain's plans"
    );
    assert_eq!(
        enum_of("FeatureKey"),
        FeatureKey::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "FeatureKey lists the domain's features"
    );
    assert_eq!(
        enum_of("Outcome"),
        Outcome::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "Outcome lists the domain's outcomes"
    );
    let actors = &contract["components"]["schemas"]["ActorRef"];
    assert_eq!(actors["discriminator"]["propertyName"], "type", "actors are discriminated by type");
    for kind in ActorType::ALL {
        let variant = &actors["discriminator"]["mapping"][kind.name()];
        let variant = contract
            .pointer(variant.as_str().expect("the mapping has a reference").trim_start_matches('#'))
            .expect("the reference resolves");
        assert_eq!(
            variant["properties"]["type"]["enum"],
            serde_json::json!([kind.name()]),
            "the variant of {} has its type",
            kind.name()
        );
    }
    assert_eq!(
        enum_of("KnownTargetType"),
        TargetType::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "KnownTargetType lists the domain's target types"
    );
    assert_eq!(
        enum_of("Mode"),
        Mode::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "Mode lists the domain's impersonation modes"
    );
    assert_eq!(
        enum_of("KnownProblemCode"),
        postern_api::http::Code::ALL.iter().map(|code| code.name()).collect::<Value>(),
        "KnownProblemCode lists all problem codes"
    );
    assert_eq!(
        enum_of("KnownAction"),
        Action::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "KnownAction lists all audit actions"
    );
}

/// `tests/contract/lint.sh` checks that the examples match their schemas.
#[test]
fn every_field_has_a_description_and_an_example() {
    fn collect_fields<'a>(
        path: &str,
        schema: &'a Value,
        all_fields: &mut Vec<(String, &'a Value)>,
    ) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            all_fields.push((path.clone(), field));
            collect_fields(&path, field, all_fields);
        }
        for part in ["oneOf", "allOf", "anyOf"]
            .into_iter()
            .flat_map(|key| schema[key].as_array().into_iter().flatten())
        {
            collect_fields(path, part, all_fields);
        }
        if let Some(items) = schema.get("items") {
            collect_fields(&format!("{path}[]"), items, all_fields);
        }
    }
    let contract = contract();
    let schemas = contract["components"]["schemas"].as_object().expect("schemas is an object");
    let mut all_fields = Vec::new();
    for (name, schema) in schemas {
        all_fields.push((name.clone(), schema));
        collect_fields(name, schema, &mut all_fields);
    }
    for parameter in operations(&contract)
        .into_iter()
        .flat_map(|(_, operation)| operation["parameters"].as_array().into_iter().flatten())
    {
        assert!(
            parameter["description"].is_string(),
            "the parameter has a description: {parameter}"
        );
    }
    // The description of a referenced schema counts for the field.
    let referenced_schema = |field: &Value| -> Value {
        let resolve = |schema: &Value| {
            schema["$ref"].as_str().and_then(|reference| {
                reference.rsplit('/').next().map(|name| schemas[name].clone())
            })
        };
        let variant =
            || field["oneOf"].as_array().and_then(|variants| variants.iter().find_map(resolve));
        resolve(field).or_else(variant).unwrap_or_default()
    };
    let lacks_description = |field: &Value| {
        let described =
            |schema: &Value| schema["description"].as_str().is_some_and(|text| text.len() > 5);
        let variant_described =
            field["oneOf"].as_array().is_some_and(|variants| variants.iter().any(described));
        !described(field) && !variant_described && !described(&referenced_schema(field))
    };
    let lacks_example = |field: &Value| {
        let has_example = ["example", "examples", "enum", "const", "$ref", "oneOf", "allOf"]
            .iter()
            .any(|key| field.get(*key).is_some());
        !has_example
            && !["boolean", "array", "object", "null"].iter().any(|kind| field["type"] == *kind)
    };
    let paths_where = |predicate: &dyn Fn(&Value) -> bool| -> Vec<&str> {
        let fields = all_fields.iter().filter(|(_, field)| predicate(field));
        fields.map(|(path, _)| path.as_str()).collect()
    };
    let undescribed = paths_where(&lacks_description);
    assert!(undescribed.is_empty(), "every field has a description: {undescribed:#?}");
    let without_example = paths_where(&lacks_example);
    assert!(without_example.is_empty(), "every field has an example: {without_example:#?}");
}

/// Each problem response has an example per code, and each response lists its headers.
#[test]
fn problems_and_headers_are_described() {
    let contract = contract();
    let resolve = |response: &Value| -> Value {
        response["$ref"].as_str().map_or_else(
            || response.clone(),
            |reference| {
                contract
                    .pointer(reference.trim_start_matches('#'))
                    .expect("the reference resolves")
                    .clone()
            },
        )
    };
    for (id, operation) in operations(&contract) {
        let paged = operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "cursor"));
        for (status, response) in
            operation["responses"].as_object().expect("responses is an object")
        {
            let response = resolve(response);
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
            let deprecated = TABLE.iter().any(|row| row.id == id && row.deprecated.is_some());
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
            if status.as_str() >= "400" {
                let examples = response["content"]["application/problem+json"]["examples"]
                    .as_object()
                    .expect("examples is an object");
                let retryable = [
                    "idempotency_in_flight",
                    "too_many_attempts",
                    "too_many_streams",
                    "unavailable",
                ];
                assert_eq!(
                    header("Retry-After"),
                    retryable.iter().any(|code| examples.contains_key(*code)),
                    "{id} {status}: only responses that can be retried list Retry-After"
                );
                for (code, example) in examples {
                    assert_eq!(
                        (&example["value"]["code"], example["value"]["status"].to_string()),
                        (&Value::from(code.as_str()), status.clone()),
                        "{id} {status}: the example has the code and status"
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
        let row = TABLE.iter().find(|row| row.id == id).expect("the operation is in the table");
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

#[test]
fn every_reference_resolves() {
    fn collect_references<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, member)| match member {
                Value::String(reference) if key == "$ref" => references.push(reference),
                _ => collect_references(member, references),
            }),
            Value::Array(items) => {
                items.iter().for_each(|item| collect_references(item, references));
            }
            _ => {}
        }
    }
    let contract = contract();
    let mut references = Vec::new();
    collect_references(&contract, &mut references);
    assert!(!references.is_empty(), "the document contains references");
    for reference in references {
        assert!(
            contract.pointer(reference.trim_start_matches('#')).is_some(),
            "{reference} resolves"
        );
    }
}
