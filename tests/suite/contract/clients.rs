//! Generated clients, and Swagger UI in a browser, run against a real server.

use std::process::Command;

use postern_tests::{App, on_both, tests_on};

use super::{KillOnDrop, contract_folder, run_script, tools, wait_for_success};
use crate::audit::start_worker;

on_both![generated_typescript_client_works, generated_python_client_works];

tests_on! { browser, Sqlite: swagger_ui_works_for_an_operator }

async fn generated_typescript_client_works(t: &App) {
    let _worker = KillOnDrop(start_worker(t));
    run_script(t, "job.sh", &["typescript"], &[]).await;
}

async fn generated_python_client_works(t: &App) {
    let _worker = KillOnDrop(start_worker(t));
    run_script(t, "job.sh", &["python"], &[]).await;
}

/// Writes screenshots to the build directory: `tmp/swagger-ui*.png`, `tmp/problem.png`.
async fn swagger_ui_works_for_an_operator(t: &App) {
    tools();
    let mut command = Command::new(contract_folder().join("browser.sh"));
    command.arg(&t.address).arg(env!("CARGO_TARGET_TMPDIR"));
    wait_for_success(command).await;
}
