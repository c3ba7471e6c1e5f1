//! Generated clients, Swagger UI in a browser and a fuzzer, run against a real server.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::OnceLock,
};

use postern_tests::{App, on_both, tests_on};

use crate::sequencer::work;

on_both![generated_typescript_client_works, generated_python_client_works];

tests_on! { browser, Sqlite: swagger_ui_works_for_an_operator }

// Each database, role and tier is fuzzed once; `make fuzz` runs all combinations.
tests_on! { sqlite_org, Sqlite: fuzz_as_org_owner, fuzz_as_org_viewer }
tests_on! { sqlite_staff, Sqlite: fuzz_as_support, fuzz_as_operations }
tests_on! { postgres_org, Postgres: fuzz_as_org_admin, fuzz_as_org_member }
tests_on! { postgres_staff, Postgres: fuzz_as_engineering, fuzz_as_super_admin }

/// Fixed seed, so that every run sends the same requests.
const SEED: &str = "20261121";
/// Maximum number of generated examples per operation.
const EXAMPLES: &str = "3";

/// A child process that is killed when this value is dropped.
pub struct Working(pub Child);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.kill().expect("the process is killed");
        self.0.wait().expect("the process ends");
    }
}

/// Runs a script of `tests/contract` with the contract file and the server address.
async fn run(t: &App, script: &str, before: &[&str], after: &[&str]) {
    tools();
    let folder = contract_folder();
    let mut command = Command::new(folder.join(script));
    command.args(before).arg(folder.join("../../openapi/openapi.json")).arg(&t.address).args(after);
    succeeds(command).await;
}

async fn succeeds(mut command: Command) {
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

async fn generated_typescript_client_works(t: &App) {
    let _sequencer = Working(work(t));
    run(t, "job.sh", &["typescript"], &[]).await;
}

async fn generated_python_client_works(t: &App) {
    let _sequencer = Working(work(t));
    run(t, "job.sh", &["python"], &[]).await;
}

/// Writes screenshots to the build directory: `tmp/swagger-ui.png`, `tmp/swagger-ui-acting.png`.
async fn swagger_ui_works_for_an_operator(t: &App) {
    tools();
    let mut command = Command::new(contract_folder().join("browser.sh"));
    command.arg(&t.address).arg(env!("CARGO_TARGET_TMPDIR"));
    succeeds(command).await;
}

macro_rules! fuzz_tests {
    ($($name:ident = $email:literal),+ $(,)?) => {
        $(async fn $name(t: &App) {
            let _sequencer = Working(work(t));
            run(t, "fuzz.sh", &[], &[$email, SEED, EXAMPLES]).await;
        })+
    };
}

fuzz_tests! {
    fuzz_as_org_owner = "owner@acme.example",
    fuzz_as_org_admin = "admin@acme.example",
    fuzz_as_org_member = "member@acme.example",
    fuzz_as_org_viewer = "viewer@acme.example",
    fuzz_as_support = "support@postern.example",
    fuzz_as_operations = "ops@postern.example",
    fuzz_as_engineering = "eng@postern.example",
    fuzz_as_super_admin = "super@postern.example",
}
