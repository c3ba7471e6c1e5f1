//! What others make of the contract: clients that their generators write, and every question that a fuzzer finds in it, asked of a real server.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::OnceLock,
};

use postern_tests::{App, on_both, tests_on};

use crate::sequencer::work;

on_both![typescript_does_the_job, python_does_the_job];

tests_on! { browser, Sqlite: an_operator_works_in_swagger_ui }

// Each database, each role and each tier, but not all of them with one another: that is `make fuzz`.
tests_on! { of_an_org, Sqlite: an_owner_asks_anything, a_viewer_asks_anything }
tests_on! { of_staff, Sqlite: support_asks_anything, operations_ask_anything }
tests_on! { of_an_org_as_well, Postgres: an_admin_asks_anything, a_member_asks_anything }
tests_on! { of_staff_as_well, Postgres: engineering_asks_anything, a_super_admin_asks_anything }

/// The same questions each time.
const SEED: &str = "20261121";
/// How many of each kind.
const EXAMPLES: &str = "3";

/// A process that goes when this does.
pub struct Working(pub Child);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.kill().expect("dies");
        self.0.wait().expect("is dead");
    }
}

/// Runs a script of `tests/contract` on the contract and this server.
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
        .expect("ends");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

pub fn contract_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contract")
}

/// The folder of the tools, which are brought once, whoever needs them first.
pub fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let output =
            Command::new(contract_folder().join("tools.sh")).output().expect("the script runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a path in UTF-8").trim().into()
    })
}

async fn typescript_does_the_job(t: &App) {
    let _pump = Working(work(t));
    run(t, "job.sh", &["typescript"], &[]).await;
}

async fn python_does_the_job(t: &App) {
    let _pump = Working(work(t));
    run(t, "job.sh", &["python"], &[]).await;
}

/// Pictures of it are left in the folder of the build: `tmp/swagger-ui.png`, `tmp/swagger-ui-acting.png`.
async fn an_operator_works_in_swagger_ui(t: &App) {
    tools();
    let mut command = Command::new(contract_folder().join("browser.sh"));
    command.arg(&t.address).arg(env!("CARGO_TARGET_TMPDIR"));
    succeeds(command).await;
}

macro_rules! asks_anything {
    ($($name:ident = $email:literal),+ $(,)?) => {
        $(async fn $name(t: &App) {
            let _pump = Working(work(t));
            run(t, "fuzz.sh", &[], &[$email, SEED, EXAMPLES]).await;
        })+
    };
}

asks_anything! {
    an_owner_asks_anything = "owner@acme.example",
    an_admin_asks_anything = "admin@acme.example",
    a_member_asks_anything = "member@acme.example",
    a_viewer_asks_anything = "viewer@acme.example",
    support_asks_anything = "support@postern.example",
    operations_ask_anything = "ops@postern.example",
    engineering_asks_anything = "eng@postern.example",
    a_super_admin_asks_anything = "super@postern.example",
}
