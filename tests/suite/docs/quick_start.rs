//! The README: demo, tour and production setup.

use std::{fs, path::Path, process::Command};

use postern_tests::{App, on_both, tests_on};

use super::{
    block, create_database, drop_database, output_of, output_until_serving, shell, with_urls,
};

on_both![documented_tour_works];

tests_on! { postgres_only, Postgres: documented_production_setup_works }

#[test]
fn documented_demo_works() {
    let script = block("run");
    let (run, test) = script.trim().split_once('\n').expect("the block has two commands");
    assert!(
        run.starts_with("make run ") && test.starts_with("make test "),
        "the block has `make run` and `make test`: {script}"
    );
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // A clean environment: variables that cargo sets for tests would cause rebuilds.
    let environment: Vec<(String, String)> = std::env::vars()
        .filter(|(name, _)| {
            ["HOME", "LANG", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTUP_HOME", "RUSTFLAGS"]
                .contains(&name.as_str())
        })
        .collect();
    let mut command = Command::new("sh");
    command.args(["-eu", "-c", run]).current_dir(&repository);
    command.env_clear().env("PATH", std::env::var("PATH").expect("PATH is set")).envs(environment);
    command.env(
        "POSTERN__DATABASE__URL",
        format!("sqlite://{}", folder.path().join("postern.db").display()),
    );
    command
        .env("POSTERN__TOKENS__KEYS_DIR", folder.path().join("keys"))
        .env("POSTERN__AUDIT__KEYS_DIR", folder.path().join("log"));
    let output = output_until_serving(command).join("\n");
    assert!(output.contains("Swagger UI"), "the banner names Swagger UI: {output}");
}

async fn documented_tour_works(t: &App) {
    let tour = block("tour").replace("http://localhost:8080", &t.address);
    let output = output_of(shell(&tour, t.folder.path())).await;
    for expected in [
        "\"members_by_role\"",
        "\"role\":\"member\"",
        "Sam Okoro of support is acting as Ana Costa",
        "\"code\":\"impersonation_blocked\"",
        "Sam Okoro (support), as Ana Costa, changed viewer@acme.example from member to viewer",
        "Sam Okoro (support), as Ana Costa, was denied change_password (impersonation_blocked)",
    ] {
        assert!(output.contains(expected), "the tour prints {expected}: {output}");
    }
}

async fn documented_production_setup_works(t: &App) {
    let name = create_database(t, "real").await;
    fs::write(t.folder.path().join("password-on-one-line"), "four random words do\n")
        .expect("the file is written");
    let output = output_of(shell(&with_urls(t, &block("for-real"), &name), t.folder.path())).await;
    assert!(
        output.contains("all checks passed") && output.contains("the super_admin tier"),
        "doctor passes and the tier is granted: {output}"
    );
    drop_database(t, &name).await;
}
