//! Generated clients, and Swagger UI in a browser, run against a real server.

use std::{path::Path, process::Command};

use postern_tests::{App, on_both, tests_on};

use super::{KillOnDrop, contract_folder, run_script, tools, wait_for_success};
use crate::audit::start_worker;

on_both![generated_typescript_client_works, generated_python_client_works];

// Other generators than those of the quick start: the contract does not depend on one of them.
tests_on! { other_generators, Sqlite: hey_api_client_works, progenitor_client_works }

tests_on! { browser, Sqlite: swagger_ui_works_for_an_operator }

async fn generated_typescript_client_works(t: &App) {
    let _worker = KillOnDrop(start_worker(t));
    run_script(t, "job.sh", &["typescript"], &[]).await;
}

async fn generated_python_client_works(t: &App) {
    let _worker = KillOnDrop(start_worker(t));
    run_script(t, "job.sh", &["python"], &[]).await;
}

async fn hey_api_client_works(t: &App) {
    run_script(t, "job.sh", &["hey-api"], &[]).await;
}

/// Builds the client from the OpenAPI 3.0 document.
async fn progenitor_client_works(t: &App) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract-rust");
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--locked", "--manifest-path"]);
    command.arg(contract_folder().join("rust/Cargo.toml")).args(["--", &t.address]);
    command.env("CARGO_TARGET_DIR", target);
    wait_for_success(command).await;
}

/// Writes screenshots to the build directory: `tmp/swagger-ui*.png`, `tmp/problem.png`.
async fn swagger_ui_works_for_an_operator(t: &App) {
    tools();
    let mut command = Command::new(contract_folder().join("browser.sh"));
    command.arg(&t.address).arg(env!("CARGO_TARGET_TMPDIR"));
    wait_for_success(command).await;
}
