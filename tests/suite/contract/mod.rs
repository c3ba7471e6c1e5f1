//! The OpenAPI contract: its document, its changes between versions, and clients generated from it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::OnceLock,
};

use postern_tests::App;
use serde_json::Value;

mod breaking_changes;
mod clients;
mod diff;
mod document;
mod fuzz;
mod operations;
mod prefill;
mod products;
mod responses;
mod schemas;

/// The current OpenAPI document.
fn contract() -> Value {
    serde_json::from_str(&postern_api::openapi()).expect("the text is valid JSON")
}

/// Operations of the document, by id.
fn operations(contract: &Value) -> Vec<(String, &Value)> {
    let paths = contract["paths"].as_object().expect("paths is an object");
    let methods =
        paths.values().flat_map(|path| path.as_object().expect("a path is an object").values());
    let id = |operation: &Value| {
        operation["operationId"].as_str().expect("operationId is a string").to_owned()
    };
    methods.map(|operation| (id(operation), operation)).collect()
}

/// A child process that is killed when this value is dropped.
pub struct KillOnDrop(pub Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill().expect("the process is killed");
        self.0.wait().expect("the process ends");
    }
}

/// Directory of the contract scripts.
pub fn contract_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contract")
}

/// Directory of the contract tools. The first caller installs them.
pub fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let output =
            Command::new(contract_folder().join("tools.sh")).output().expect("the script runs");
        assert!(
            output.status.success(),
            "tools.sh succeeds: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("the path is UTF-8").trim().into()
    })
}

/// Runs a script of `tests/contract` with the contract file and the server address.
async fn run_script(t: &App, script: &str, before: &[&str], after: &[&str]) {
    tools();
    let folder = contract_folder();
    let mut command = Command::new(folder.join(script));
    command.args(before).arg(folder.join("../../openapi/openapi.json")).arg(&t.address).args(after);
    wait_for_success(command).await;
}

/// Runs a command to its end and asserts that it succeeds.
async fn wait_for_success(mut command: Command) {
    let output = tokio::task::spawn_blocking(move || command.output().expect("the script runs"))
        .await
        .expect("the task completes");
    assert!(
        output.status.success(),
        "the script succeeds: {}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
