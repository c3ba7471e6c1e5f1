//! `make contract-diff`: what it says of a change, and whether it lets it pass.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::clients::{contract_folder, tools};

/// In a repository of its own.
#[test]
fn breaking_changes_are_reported() {
    tools();
    let folder = tempfile::tempdir().expect("a folder");
    let git = |args: &[&str]| {
        let who = [
            "-c",
            "user.name=nobody",
            "-c",
            "user.email=nobody@postern.example",
            "-c",
            "commit.gpgsign=false",
        ];
        let output = Command::new("git")
            .args(who)
            .args(args)
            .current_dir(&folder)
            .output()
            .expect("git is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let write = |contract: &Value| {
        fs::write(folder.path().join("openapi/openapi.json"), contract.to_string())
            .expect("is written")
    };
    let compared = || {
        let output = Command::new(contract_folder().join("diff.sh"))
            .current_dir(&folder)
            .output()
            .expect("the script runs");
        let said = String::from_utf8(output.stdout).expect("text");
        (output.status.code(), said, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let contract: Value = serde_json::from_str(&postern_api::openapi()).expect("JSON");
    git(&["init", "--quiet"]);
    fs::create_dir(folder.path().join("openapi")).expect("a folder");
    write(&contract);
    let (code, said, complaint) = compared();
    assert!(
        code == Some(0) && said.contains("no version has been tagged yet"),
        "{said}{complaint}"
    );
    // Where git itself fails, nobody is told that all is well.
    let output = Command::new(contract_folder().join("diff.sh"))
        .arg("v9")
        .current_dir(&folder)
        .output()
        .expect("the script runs");
    assert!(!output.status.success());
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    git(&["tag", "v0.1.0"]);
    let (code, said, complaint) = compared();
    assert!(code == Some(0) && said.contains("nothing has changed."), "{said}{complaint}");

    // What breaks nobody.
    let mut wider = contract.clone();
    let optional = json!({ "name": "since", "in": "query", "schema": { "type": "string" } });
    wider["paths"]["/v1/orgs/{org}/members"]["get"]["parameters"]
        .as_array_mut()
        .expect("parameters")
        .push(optional);
    wider["paths"]["/v1/teams"] = contract["paths"]["/v1/orgs"].clone();
    wider["components"]["schemas"]["Member"]["properties"]["team"] = json!({ "type": "string" });
    wider["components"]["schemas"]["KnownProblemCode"]["enum"]
        .as_array_mut()
        .expect("codes")
        .push("too_tired".into());
    wider["components"]["schemas"]["MeView"]["properties"]["user"]["description"] =
        "Who it is.".into();
    wider["components"]["schemas"]["UpdateOrgBody"]["properties"]["max_users"] =
        json!({ "type": "integer" });
    wider["paths"]["/v1/me"]["get"]["parameters"] = json!([{ "name": "fields", "in": "query", "required": false, "schema": { "type": "string" } }]);
    wider["components"]["schemas"]["Member"]["properties"]["name"]["deprecated"] = true.into();
    wider["paths"]["/v1/orgs"]["get"]["responses"]["418"] = json!({ "description": "a teapot" });
    wider["components"]["schemas"]["UpdateOrgBody"]["properties"]["name"]["maxLength"] = 200.into();
    write(&wider);
    let (code, said, complaint) = compared();
    assert!(code == Some(0) && !said.contains("Breaking"), "{said}{complaint}");
    for named in [
        "(since)",
        "GET /v1/teams, POST /v1/teams: added it",
        "code may say \"too_tired\"",
        "properties/team",
        "100 → 200",
    ] {
        assert!(said.contains(named), "{named} is not in {said}");
    }

    // One at a time, each by its name.
    for (at, name, value, named) in breaks() {
        let mut other = contract.clone();
        let there = other
            .pointer_mut(&at)
            .and_then(Value::as_object_mut)
            .unwrap_or_else(|| panic!("{at} is not there"));
        match value {
            Value::Null if name == "Usage" => {
                // Under another name.
                let usage = there.remove("UsageView").expect("it was there");
                there.insert("Usage".to_owned(), usage);
                other = serde_json::from_str(
                    &other.to_string().replace("schemas/UsageView", "schemas/Usage"),
                )
                .expect("JSON");
            }
            Value::Null => drop(there.remove(name).expect("it was there")),
            value => drop(there.insert(name.to_owned(), value)),
        }
        write(&other);
        let (code, said, complaint) = compared();
        let breaking = said
            .split("Breaking:")
            .nth(1)
            .and_then(|rest| rest.split("\n\n").next())
            .unwrap_or_default();
        assert!(
            code == Some(1) && breaking.contains(named),
            "{named} is not among what breaks: {said}{complaint}"
        );
    }
}

/// What breaks somebody: where, what is set there (null takes it away), and what is said of it.
fn breaks() -> [(String, &'static str, Value, &'static str); 28] {
    let members = "/paths/~1v1~1orgs~1{org}~1members/get";
    let schema = |rest: &str| format!("/components/schemas/{rest}");
    [
        ("/paths/~1v1~1me".into(), "patch", Value::Null, "PATCH /v1/me: removed it"),
        ("/paths".into(), "/v1/admin/search", Value::Null, "GET /v1/admin/search: removed it"),
        (
            "/paths/~1v1~1orgs/post".into(),
            "operationId",
            json!("make_org"),
            "operationId \"create_org\" → \"make_org\"",
        ),
        (
            "/paths/~1v1~1me/get".into(),
            "x-impersonation",
            json!("blocked"),
            "x-impersonation \"allowed\" → \"blocked\"",
        ),
        (members.into(), "x-required-permission", json!("members:manage"), "x-required-permission"),
        (
            format!("{members}/parameters/1/schema"),
            "type",
            json!("string"),
            "schema/type \"integer\" → \"string\"",
        ),
        (format!("{members}/parameters/1/schema"), "maximum", json!(50), "schema/maximum 100 → 50"),
        (format!("{members}/parameters/1"), "required", json!(true), "parameters/1/required"),
        (
            "/paths/~1v1~1auth~1logout/post".into(),
            "requestBody",
            json!({ "required": true, "content": {} }),
            "POST /v1/auth/logout: added requestBody",
        ),
        (
            "/paths/~1healthz/get".into(),
            "security",
            json!([{ "bearer": [] }]),
            "GET /healthz: added security/0",
        ),
        ("/servers/0".into(), "url", json!("/api"), "servers/0/url"),
        (schema("Member/properties"), "name", Value::Null, "properties/name"),
        (schema("Member/properties/created_at"), "format", json!("date"), "created_at/format"),
        (
            schema("Member/properties/email"),
            "type",
            json!(["string", "null"]),
            "properties/email/type",
        ),
        (schema("Settings"), "required", json!(["branding"]), "required/"),
        (schema("VerifiableEvent/allOf/1/properties"), "opening", Value::Null, "opening"),
        (
            schema("ActorRef/discriminator"),
            "propertyName",
            json!("kind"),
            "discriminator/propertyName",
        ),
        (
            schema("Role"),
            "enum",
            json!(["viewer", "member", "admin", "boss"]),
            "\"owner\" → \"boss\"",
        ),
        (
            schema("Outcome"),
            "enum",
            json!(["succeeded", "denied", "failed", "unknown"]),
            "enum/3 \"unknown\"",
        ),
        (
            schema("UpdateOrgBody"),
            "required",
            json!(["name"]),
            "PATCH /v1/orgs/{org}: added requestBody/content/application/json/schema/required/0 \"name\"",
        ),
        (
            schema("UpdateMeBody/properties"),
            "image_url",
            Value::Null,
            "PATCH /v1/me: removed requestBody/content/application/json/schema/properties/image_url",
        ),
        (schema("UpdateMeBody/properties/name"), "enum", json!(["Ana"]), "properties/name/enum"),
        (schema("CreateOrgBody/properties/slug"), "pattern", json!("^x$"), "slug/pattern"),
        (
            "/paths/~1v1~1me/get/responses".into(),
            "202",
            json!({ "description": "later" }),
            "GET /v1/me: added responses/202",
        ),
        ("/paths/~1v1~1me/get".into(), "tags", json!(["people"]), "GET /v1/me: replaced tags/0"),
        (schema("UpdateMeBody/properties/name"), "maxLength", json!(10), "name/maxLength 100 → 10"),
        (schema("SetStaffTierBody/properties/tier"), "enum", json!(["support"]), "tier/enum"),
        (
            "/components/schemas".into(),
            "Usage",
            Value::Null,
            "there is no schema of this name any more: UsageView",
        ),
    ]
}
