//! `make contract-diff`: lists compatible changes, and fails on changes that break clients.

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{breaking_changes, contract, contract_folder, tools};
use crate::cli::output_text;

/// A temporary Git repository with a contract.
struct Repository(TempDir);

/// The result of `diff.sh`.
struct Diff {
    succeeds: bool,
    report: String,
    /// The report and standard error.
    output: String,
}

impl Repository {
    /// A repository without a commit.
    fn new(contract: &Value) -> Self {
        tools();
        let folder = tempfile::tempdir().expect("a temporary directory is created");
        let repository = Self(folder);
        repository.git(&["init", "--quiet"]);
        fs::create_dir(repository.0.path().join("openapi")).expect("the directory is created");
        repository.write(contract);
        repository
    }

    /// A repository in which the contract is tagged as v0.1.0.
    fn tagged(contract: &Value) -> Self {
        let repository = Self::new(contract);
        repository.git(&["add", "."]);
        repository.git(&["commit", "--quiet", "--message", "first"]);
        repository.git(&["tag", "v0.1.0"]);
        repository
    }

    fn git(&self, arguments: &[&str]) {
        let settings =
            ["user.name=test", "user.email=test@postern.example", "commit.gpgsign=false"];
        let output = Command::new("git")
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .expect("git is installed");
        assert!(
            output.status.success(),
            "git {arguments:?} succeeds: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn write(&self, contract: &Value) {
        fs::write(self.0.path().join("openapi/openapi.json"), contract.to_string())
            .expect("the file is written");
    }

    /// Runs `diff.sh`. It exits with status 1 for breaking changes.
    fn diff(&self) -> Diff {
        let output = self.run(&[]);
        assert!(
            [Some(0), Some(1)].contains(&output.status.code()),
            "the script exits with status 0 or 1: {output:?}"
        );
        Diff {
            succeeds: output.status.success(),
            output: output_text(&output),
            report: String::from_utf8(output.stdout).expect("the report is UTF-8"),
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(contract_folder().join("diff.sh"))
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .expect("the script runs")
    }
}

#[test]
fn contract_without_a_tag_succeeds() {
    let repository = Repository::new(&contract());
    let diff = repository.diff();
    assert!(
        diff.succeeds && diff.report.contains("no version is tagged"),
        "the script succeeds without a tag: {}",
        diff.output
    );
    let output = repository.run(&["v9"]);
    assert!(!output.status.success(), "the script fails for a missing tag: {output:?}");
}

#[test]
fn unchanged_contract_has_no_changes() {
    let diff = Repository::tagged(&contract()).diff();
    assert!(
        diff.succeeds && diff.report.contains("No changes."),
        "an unchanged contract has no changes: {}",
        diff.output
    );
}

#[test]
fn compatible_changes_are_listed() {
    let contract = contract();
    let repository = Repository::tagged(&contract);
    repository.write(&with_compatible_changes(contract));
    let diff = repository.diff();
    assert!(
        diff.succeeds && !diff.report.contains("Breaking"),
        "compatible changes are not reported as breaking: {}",
        diff.output
    );
    for entry in [
        "(since)",
        "GET /v1/teams, POST /v1/teams: added operation",
        "new value of code: \"too_tired\"",
        "properties/team",
        "100 → 200",
    ] {
        assert!(diff.report.contains(entry), "the report lists {entry}: {}", diff.output);
    }
}

fn with_compatible_changes(contract: Value) -> Value {
    let mut changed = contract;
    changed["paths"]["/v1/orgs/{org}/members"]["get"]["parameters"]
        .as_array_mut()
        .expect("parameters is an array")
        .push(json!({ "name": "since", "in": "query", "schema": { "type": "string" } }));
    changed["paths"]["/v1/teams"] = changed["paths"]["/v1/orgs"].clone();
    changed["paths"]["/v1/me"]["get"]["parameters"] = json!([{
        "name": "fields", "in": "query", "required": false, "schema": { "type": "string" },
    }]);
    changed["paths"]["/v1/orgs"]["get"]["responses"]["418"] =
        json!({ "description": "another error" });
    let schemas = &mut changed["components"]["schemas"];
    schemas["Member"]["properties"]["team"] = json!({ "type": "string" });
    schemas["Member"]["properties"]["name"]["deprecated"] = true.into();
    schemas["KnownProblemCode"]["enum"]
        .as_array_mut()
        .expect("enum is an array")
        .push("too_tired".into());
    schemas["MeView"]["properties"]["user"]["description"] = "The signed-in user.".into();
    schemas["UpdateOrgBody"]["properties"]["max_users"] = json!({ "type": "integer" });
    schemas["UpdateOrgBody"]["properties"]["name"]["maxLength"] = 200.into();
    changed
}

#[test]
fn breaking_changes_fail() {
    let contract = contract();
    let repository = Repository::tagged(&contract);
    for change in breaking_changes::all() {
        let mut changed = contract.clone();
        change.apply(&mut changed);
        repository.write(&changed);
        assert_breaking(&repository.diff(), change.entry);
    }
}

#[test]
fn renamed_schema_is_breaking() {
    let contract = contract();
    let repository = Repository::tagged(&contract);
    let mut changed = contract;
    let schemas = changed["components"]["schemas"].as_object_mut().expect("schemas is an object");
    let usage = schemas.remove("UsageView").expect("the contract has UsageView");
    schemas.insert("Usage".to_owned(), usage);
    let text = changed.to_string().replace("schemas/UsageView", "schemas/Usage");
    repository.write(&serde_json::from_str(&text).expect("the contract is valid JSON"));
    assert_breaking(&repository.diff(), "removed or renamed schema UsageView");
}

/// Asserts that the script fails and lists `entry` as breaking.
fn assert_breaking(diff: &Diff, entry: &str) {
    let breaking = diff.report.split("Breaking:").nth(1).unwrap_or_default();
    let breaking = breaking.split("\n\n").next().unwrap_or_default();
    assert!(
        !diff.succeeds && breaking.contains(entry),
        "{entry} is reported as breaking: {}",
        diff.output
    );
}
