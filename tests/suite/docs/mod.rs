//! Documentation: each code block is run as printed, and each named command exists.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use postern_tests::{App, LOG_ORIGIN, OWNER, as_role};

use crate::cli::{binary, output_text};

mod audit_log;
mod client_generation;
mod code_blocks;
mod commands;
mod frontend;
mod quick_start;
mod tenancy;

/// Documents with the names of their code blocks, in order.
const DOCUMENTS: [(&str, &str, &[&str]); 9] = [
    ("README.md", include_str!("../../../README.md"), &["run", "tour", "for-real"]),
    ("docs/architecture.md", include_str!("../../../docs/architecture.md"), &[]),
    ("docs/audit.md", include_str!("../../../docs/audit.md"), &["verify"]),
    ("docs/audit-reference.md", include_str!("../../../docs/audit-reference.md"), &["leaf"]),
    ("docs/frontend.md", include_str!("../../../docs/frontend.md"), &["frontend-types"]),
    ("docs/glossary.md", include_str!("../../../docs/glossary.md"), &[]),
    ("docs/integrate.md", include_str!("../../../docs/integrate.md"), &["clients"]),
    ("docs/performance.md", include_str!("../../../docs/performance.md"), &[]),
    (
        "docs/tenancy.md",
        include_str!("../../../docs/tenancy.md"),
        &["row-level-security", "set-up"],
    ),
];

/// Content of the code block that follows `<!-- run: NAME -->`.
fn block(name: &str) -> String {
    let marker = format!("<!-- run: {name} -->\n```");
    let (_, text, _) = DOCUMENTS
        .iter()
        .find(|(_, _, names)| names.contains(&name))
        .expect("a document has the block");
    let rest = text
        .split(&marker)
        .nth(1)
        .unwrap_or_else(|| panic!("the document has the marker of block {name}"));
    rest.split_once('\n')
        .and_then(|(_, rest)| rest.split("```").next())
        .expect("the code block ends")
        .to_owned()
}

/// A shell in `folder` with this build's `postern` in its `PATH` and cheap password hashes.
fn shell(script: &str, folder: &Path) -> Command {
    let path = std::env::var("PATH").expect("PATH is set");
    let mut command = Command::new("sh");
    command.args(["-eu", "-c", script]).current_dir(folder);
    command.env(
        "PATH",
        format!("{}:{path}", binary().parent().expect("the binary is in a directory").display()),
    );
    command.env("POSTERN__PASSWORDS__MEMORY_KIB", "8").env("POSTERN__PASSWORDS__ITERATIONS", "1");
    command.env("POSTERN__AUDIT__LOG_ORIGIN", LOG_ORIGIN);
    command
}

/// Runs a command to its end. Asserts that it succeeds and returns its output.
async fn output_of(mut command: Command) -> String {
    let output: Output =
        tokio::task::spawn_blocking(move || command.output().expect("the shell runs"))
            .await
            .expect("the task completes");
    assert!(output.status.success(), "the shell succeeds: {}", output_text(&output));
    output_text(&output)
}

/// Time limit until a command serves. Includes a build.
const START_TIMEOUT: Duration = Duration::from_mins(8);

/// Runs a command that ends with a server. Returns its output up to the banner, then stops its
/// process group.
fn output_until_serving(mut command: Command) -> Vec<String> {
    struct Group(Child);
    impl Drop for Group {
        fn drop(&mut self) {
            let _ =
                Command::new("kill").args(["-TERM", "--", &format!("-{}", self.0.id())]).status();
            let _ = self.0.wait();
        }
    }
    command.process_group(0).stdout(Stdio::piped());
    command
        .env("POSTERN__SERVER__LISTEN", "127.0.0.1:0")
        .env("POSTERN__SERVER__DRAIN_SECONDS", "0");
    let mut running = Group(command.spawn().expect("the process starts"));
    // Kills the process group after the time limit, so that the output ends and the test fails.
    let (group, (_done, done_rx)) = (running.0.id(), mpsc::channel::<()>());
    thread::spawn(move || {
        if done_rx.recv_timeout(START_TIMEOUT) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).status();
        }
    });
    let mut lines = BufReader::new(running.0.stdout.take().expect("the stream is piped"))
        .lines()
        .map_while(Result::ok);
    let mut output = Vec::new();
    for line in lines.by_ref() {
        let serving = line.contains("OpenAPI");
        output.push(line);
        if serving {
            return output;
        }
    }
    panic!("the command serves before it ends: {output:#?}");
}

/// Creates an empty database and returns its name.
async fn create_database(t: &App, suffix: &str) -> String {
    let name = format!(
        "{}_{suffix}",
        t.db.url.rsplit('/').next().expect("the database URL ends with a name")
    );
    t.db.execute(&format!("CREATE DATABASE {name} OWNER {OWNER}"))
        .await
        .expect("the database is created");
    name
}

/// Replaces the example database URLs in `script` with those of the database `name` of this
/// cluster.
fn with_urls(t: &App, script: &str, name: &str) -> String {
    let base = t.db.url.rsplit_once('/').expect("the database URL has a path").0;
    let script =
        script.replace("postgres://postern_server:…@db/postern", &format!("{base}/{name}"));
    script.replace(
        "postgres://postern_owner:…@db/postern",
        &as_role(&format!("{base}/{name}"), OWNER),
    )
}

async fn drop_database(t: &App, name: &str) {
    t.db.execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .expect("the database is dropped");
}
