//! The commands of the `postern` binary. Each runs as a process.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use postern_tests::LOG_ORIGIN;

mod config;
mod demo;
pub mod demo_server;
mod doctor;
mod migrate;
mod replicas;
mod serve;
mod staff;
mod stop;
mod users;

/// Path of the `postern` binary of the same build.
pub fn binary() -> PathBuf {
    binary_named("postern")
}

/// Path of a binary of the same build.
pub fn binary_named(name: &str) -> PathBuf {
    let test_binary = std::env::current_exe().expect("the path of the test binary is known");
    let folder = test_binary
        .parent()
        .and_then(Path::parent)
        .expect("the test binary is in target/debug/deps");
    let binary = folder.join(name);
    assert!(
        binary.is_file(),
        "{} exists: run `make test`, or `cargo build --workspace` first",
        binary.display()
    );
    binary
}

/// Runs `postern` to its end.
fn postern(folder: &Path, arguments: &[&str]) -> Output {
    postern_with(folder, arguments, &[])
}

/// Runs `postern` to its end with environment variables and cheap password hashes.
pub fn postern_with(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder).envs(environment.iter().copied());
    command.env("POSTERN__PASSWORDS__MEMORY_KIB", "8").env("POSTERN__PASSWORDS__ITERATIONS", "1");
    command.env("POSTERN__AUDIT__LOG_ORIGIN", LOG_ORIGIN).output().expect("the command runs")
}

/// Runs `postern` to its end on a database, with additional environment variables.
fn postern_on(url: &str, folder: &Path, arguments: &[&str], more: &[(&str, &str)]) -> Output {
    let mut environment = vec![("POSTERN__DATABASE__URL", url), ("POSTERN__LOG__FILTER", "error")];
    environment.extend(more);
    postern_with(folder, arguments, &environment)
}

/// Standard output, then standard error.
pub fn output_text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
