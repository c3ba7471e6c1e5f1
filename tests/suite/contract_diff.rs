//! `make contract-diff`: lists compatible changes, and fails on changes that break clients.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::clients::{contract_folder, tools};

/// Runs `diff.sh` in a temporary Git repository.
#[test]
fn breaking_changes_are_reported() {
    tools();
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let git = |args: &[&str]| {
        let identity = [
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@postern.example",
            "-c",
            "commit.gpgsign=false",
        ];
        let output = Command::new("git")
            .args(identity)
            .args(args)
            .current_dir(&folder)
            .output()
            .expect("git is installed");
        assert!(
            output.status.success(),
            "git {args:?} succeeds: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let write = |contract: &Value| {
        fs::write(folder.path().join("openapi/openapi.json"), contract.to_string())
            .expect("the file is written")
    };
    let diff = || {
        let output = Command::new(contract_folder().join("diff.sh"))
            .current_dir(&folder)
            .output()
            .expect("the script runs");
        let report = String::from_utf8(output.stdout).expect("the report is UTF-8");
        (output.status.code(), report, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let contract: Value =
        serde_json::from_str(&postern_api::openapi()).expect("the text is valid JSON");
    git(&["init", "--quiet"]);
    fs::create_dir(folder.path().join("openapi")).expect("the directory is created");
    write(&contract);
    let (code, report, stderr) = diff();
    assert!(
        code == Some(0) && report.contains("no version is tagged"),
        "the script succeeds without a tag: {report}{stderr}"
    );
    // The script fails if git fails.
    let output = Command::new(contract_folder().join("diff.sh"))
        .arg("v9")
        .current_dir(&folder)
        .output()
        .expect("the script runs");
    assert!(!output.status.success(), "the script fails for a missing tag");
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    git(&["tag", "v0.1.0"]);
    let (code, report, stderr) = diff();
    assert!(
        code == Some(0) && report.contains("No changes."),
        "an unchanged contract has no changes: {report}{stderr}"
    );

    // Compatible changes.
    let mut compatible = contract.clone();
    let optional = json!({ "name": "since", "in": "query", "schema": { "type": "string" } });
    compatible["paths"]["/v1/orgs/{org}/members"]["get"]["parameters"]
        .as_array_mut()
        .expect("parameters is an array")
        .push(optional);
    compatible["paths"]["/v1/teams"] = contract["paths"]["/v1/orgs"].clone();
    compatible["components"]["schemas"]["Member"]["properties"]["team"] =
        json!({ "type": "string" });
    compatible["components"]["schemas"]["KnownProblemCode"]["enum"]
        .as_array_mut()
        .expect("enum is an array")
        .push("too_tired".into());
    compatible["components"]["schemas"]["MeView"]["properties"]["user"]["description"] =
        "The signed-in user.".into();
    compatible["components"]["schemas"]["UpdateOrgBody"]["properties"]["max_users"] =
        json!({ "type": "integer" });
    compatible["paths"]["/v1/me"]["get"]["parameters"] = json!([{
        "name": "fields", "in": "query", "required": false, "schema": { "type": "string" },
    }]);
    compatible["components"]["schemas"]["Member"]["properties"]["name"]["deprecated"] = true.into();
    compatible["paths"]["/v1/orgs"]["get"]["responses"]["418"] =
        json!({ "description": "another error" });
    compatible["components"]["schemas"]["UpdateOrgBody"]["properties"]["name"]["maxLength"] =
        200.into();
    write(&compatible);
    let (code, report, stderr) = diff();
    assert!(
        code == Some(0) && !report.contains("Breaking"),
        "compatible changes are not reported as breaking: {report}{stderr}"
    );
    for entry in [
        "(since)",
        "GET /v1/teams, POST /v1/teams: added operation",
        "new value of code: \"too_tired\"",
        "properties/team",
        "100 → 200",
    ] {
        assert!(report.contains(entry), "the report lists {entry}: {report}");
    }

    // Breaking changes, one at a time.
    for (pointer, name, value, entry) in breaks() {
        let mut changed = contract.clone();
        let object = changed
            .pointer_mut(&pointer)
            .and_then(Value::as_object_mut)
            .unwrap_or_else(|| panic!("the contract has an object at {pointer}"));
        match value {
            Value::Null if name == "Usage" => {
                // A renamed schema.
                let usage = object.remove("UsageView").expect("the contract has UsageView");
                object.insert("Usage".to_owned(), usage);
                changed = serde_json::from_str(
                    &changed.to_string().replace("schemas/UsageView", "schemas/Usage"),
                )
                .expect("the contract is valid JSON");
            }
            Value::Null => drop(object.remove(name).expect("the removed key exists")),
            value => drop(object.insert(name.to_owned(), value)),
        }
        write(&changed);
        let (code, report, stderr) = diff();
        let breaking = report
            .split("Breaking:")
            .nth(1)
            .and_then(|rest| rest.split("\n\n").next())
            .unwrap_or_default();
        assert!(
            code == Some(1) && breaking.contains(entry),
            "{entry} is reported as breaking: {report}{stderr}"
        );
    }
}

/// Breaking changes: pointer to an object, key, new value (null removes the key), expected entry.
fn breaks() -> [(String, &'static str, Value, &'static str); 28] {
    let members = "/paths/~1v1~1orgs~1{org}~1members/get";
    let schema = |rest: &str| format!("/components/schemas/{rest}");
    [
        ("/paths/~1v1~1me".into(), "patch", Value::Null, "PATCH /v1/me: removed operation"),
        (
            "/paths".into(),
            "/v1/admin/search",
            Value::Null,
            "GET /v1/admin/search: removed operation",
        ),
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
            "PATCH /v1/orgs/{org}: added requestBody/content/application/json/schema/required/0 \
             \"name\"",
        ),
        (
            schema("UpdateMeBody/properties"),
            "image_url",
            Value::Null,
            "PATCH /v1/me: removed \
             requestBody/content/application/json/schema/properties/image_url",
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
        ("/components/schemas".into(), "Usage", Value::Null, "removed or renamed schema UsageView"),
    ]
}
