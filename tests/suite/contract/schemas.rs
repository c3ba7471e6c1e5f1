//! Schemas of the document: described, and equal to the domain.

use postern_domain::{
    action::Action,
    event::ActorType,
    event_draft::{Outcome, TargetType},
    feature::FeatureKey,
    mode::Mode,
    permission::Permission,
    plan::Plan,
    role::Role,
    tier::Tier,
};
use serde_json::{Value, json};

use super::{contract, operations};

#[test]
fn roles_and_tiers_are_described_by_their_permissions() {
    let contract = contract();
    let lines_of = |schema: &str| -> Vec<String> {
        let text = &contract["components"]["schemas"][schema]["description"];
        let text = text.as_str().expect("the description is a string");
        text.lines().filter(|line| line.starts_with("- ")).map(ToOwned::to_owned).collect()
    };
    let names = |line: &str| -> Vec<String> {
        line.split('`').skip(3).step_by(2).map(ToOwned::to_owned).collect()
    };
    let permissions = |has: &dyn Fn(Permission) -> bool| -> Vec<&str> {
        Permission::ALL.iter().filter(|it| has(**it)).map(|it| it.name()).collect()
    };
    let mut described: Vec<String> = Vec::new();
    for (role, line) in Role::ALL.iter().zip(lines_of("Role")) {
        described.extend(names(&line));
        let granted = permissions(&|permission| permission.granted_to_role(*role));
        assert_same(&described, &granted, role.name());
    }
    described.clear();
    for (tier, line) in Tier::ALL.iter().zip(lines_of("Tier")) {
        described.extend(names(&line));
        let granted = permissions(&|permission| permission.granted_to_tier(*tier));
        assert_same(&described, &granted, tier.name());
    }
}

/// Asserts that two lists have the same values in any order.
fn assert_same(described: &[String], granted: &[&str], holder: &str) {
    let mut described: Vec<_> = described.iter().map(String::as_str).collect();
    let mut granted = granted.to_vec();
    described.sort_unstable();
    granted.sort_unstable();
    assert_eq!(described, granted, "{holder} is described by its permissions");
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
        enum_of("KnownPlan"),
        Plan::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "KnownPlan lists the domain's plans"
    );
    assert_eq!(
        enum_of("KnownFeatureKey"),
        FeatureKey::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "KnownFeatureKey lists the domain's features"
    );
    assert_eq!(
        enum_of("Outcome"),
        Outcome::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "Outcome lists the domain's outcomes"
    );
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

/// Enums that do not grow. An enum that can grow belongs into `open_enums` (`unions.rs`).
const CLOSED: [&str; 6] = ["DecidedBy", "ImpersonationStatus", "Mode", "Outcome", "Role", "Tier"];

#[test]
fn every_enum_is_open_or_closed_on_purpose() {
    let contract = contract();
    let schemas = contract["components"]["schemas"].as_object().expect("schemas is an object");
    let enums: Vec<&String> = schemas
        .iter()
        .filter(|(_, schema)| schema.get("enum").is_some())
        .map(|(name, _)| name)
        .filter(|name| !CLOSED.contains(&name.as_str()))
        .collect();
    for name in enums {
        let open = name.strip_prefix("Known").unwrap_or_else(|| {
            panic!("{name} is listed in `open_enums`, or in `CLOSED`");
        });
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        let choices = &schemas[open]["oneOf"];
        assert_eq!(choices[0], reference, "{open} has its known words");
        assert_eq!(choices[1]["not"], reference, "the other words of {open} are not known");
        assert_eq!(choices[1]["type"], "string", "the other words of {open} are strings");
    }
    for name in ["Plan", "FeatureKey", "ActorType", "PersonalField"] {
        assert!(schemas.contains_key(&format!("Known{name}")), "{name} is open");
    }
}

#[test]
fn actor_types_match_the_domain() {
    let contract = contract();
    let schemas = &contract["components"]["schemas"];
    let actor = &schemas["ActorRef"];
    assert_eq!(actor["required"], json!(["email", "id", "type"]), "every actor has these fields");
    assert_eq!(actor["properties"]["type"]["$ref"], "#/components/schemas/ActorType");
    assert_eq!(
        schemas["KnownActorType"]["enum"],
        ActorType::ALL.iter().map(|variant| variant.name()).collect::<Value>(),
        "KnownActorType lists the domain's actor types"
    );
}

/// A field with its path, such as `Member.email`.
type Field<'a> = (String, &'a Value);

/// `tests/contract/lint.sh` checks that the examples match their schemas.
#[test]
fn every_field_has_a_description_and_an_example() {
    let contract = contract();
    let schemas = &contract["components"]["schemas"];
    let mut all_fields = Vec::new();
    for (name, schema) in schemas.as_object().expect("schemas is an object") {
        all_fields.push((name.clone(), schema));
        collect_fields(name, schema, &mut all_fields);
    }
    let paths_where = |predicate: &dyn Fn(&Value) -> bool| -> Vec<&str> {
        let fields = all_fields.iter().filter(|(_, field)| predicate(field));
        fields.map(|(path, _)| path.as_str()).collect()
    };
    let undescribed = paths_where(&|field| lacks_description(schemas, field));
    assert!(undescribed.is_empty(), "every field has a description: {undescribed:#?}");
    let without_example = paths_where(&lacks_example);
    assert!(without_example.is_empty(), "every field has an example: {without_example:#?}");
}

#[test]
fn every_parameter_has_a_description() {
    let contract = contract();
    for parameter in operations(&contract)
        .into_iter()
        .flat_map(|(_, operation)| operation["parameters"].as_array().into_iter().flatten())
    {
        assert!(
            parameter["description"].is_string(),
            "the parameter has a description: {parameter}"
        );
    }
}

fn collect_fields<'a>(path: &str, schema: &'a Value, all_fields: &mut Vec<Field<'a>>) {
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

/// Reports whether the field, its variants and the schema that it references have no description.
fn lacks_description(schemas: &Value, field: &Value) -> bool {
    let described =
        |schema: &Value| schema["description"].as_str().is_some_and(|text| text.len() > 5);
    let referenced = |schema: &Value| {
        schema["$ref"]
            .as_str()
            .and_then(|reference| reference.rsplit('/').next().map(|name| &schemas[name]))
    };
    let variants = field["oneOf"].as_array();
    let variant_described = variants.is_some_and(|variants| variants.iter().any(described));
    let referenced_schema = referenced(field)
        .or_else(|| variants.and_then(|variants| variants.iter().find_map(referenced)));
    !described(field) && !variant_described && !referenced_schema.is_some_and(described)
}

fn lacks_example(field: &Value) -> bool {
    let has_example = ["example", "examples", "enum", "const", "$ref", "oneOf", "allOf"]
        .iter()
        .any(|key| field.get(*key).is_some());
    !has_example
        && !["boolean", "array", "object", "null"].iter().any(|kind| field["type"] == *kind)
}
