//! Documentation tests: run each code block as printed, and check that each named command exists.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use postern_tests::{App, OWNER, as_role, on_both, tests_on};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::Value;

use crate::{
    clients::tools,
    log::{acts, checkpoint, export},
    process::{binary, said},
};

on_both![
    documented_tour_works,
    documented_log_verification_works,
    documented_leaf_hash_program_works
];
tests_on! { sqlite_alone, Sqlite: documented_client_generation_works }
tests_on! { postgres_alone, Postgres:
    documented_production_setup_works,
    documented_tenancy_setup_works,
    documented_rls_queries_work
}

/// Documents with the names of their code blocks, in order.
const DOCUMENTS: [(&str, &str, &[&str]); 9] = [
    ("README.md", include_str!("../../README.md"), &["run", "tour", "for-real"]),
    ("docs/architecture.md", include_str!("../../docs/architecture.md"), &[]),
    ("docs/audit.md", include_str!("../../docs/audit.md"), &["verify"]),
    ("docs/audit-reference.md", include_str!("../../docs/audit-reference.md"), &["leaf"]),
    ("docs/decisions.md", include_str!("../../docs/decisions.md"), &[]),
    ("docs/glossary.md", include_str!("../../docs/glossary.md"), &[]),
    ("docs/integrate.md", include_str!("../../docs/integrate.md"), &["clients"]),
    ("docs/performance.md", include_str!("../../docs/performance.md"), &[]),
    ("docs/tenancy.md", include_str!("../../docs/tenancy.md"), &["fence", "set-up"]),
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

#[test]
fn every_code_block_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let documents = fs::read_dir(folder)
        .expect("the directory is readable")
        .map(|file| file.expect("the entry is readable").path());
    for path in documents.filter(|path| {
        path.extension().is_some_and(|kind| kind == "md") && !path.ends_with("README.md")
    }) {
        assert!(
            DOCUMENTS.iter().any(|(name, _, _)| path.ends_with(name)),
            "DOCUMENTS lists {}",
            path.display()
        );
    }
    for (document, text, names) in DOCUMENTS {
        let lines: Vec<&str> = text.lines().collect();
        let block_starts = (0..lines.len()).filter(|line| {
            lines[*line].starts_with("```") && lines[*line] != "```" && lines[*line] != "```mermaid"
        });
        let marked: Vec<&str> = block_starts
            .map(|line| {
                let marker = lines[line.saturating_sub(1)]
                    .strip_prefix("<!-- run: ")
                    .and_then(|rest| rest.strip_suffix(" -->"));
                marker.unwrap_or_else(|| {
                    panic!("{document}:{}: a `run` marker precedes the block", line + 1)
                })
            })
            .collect();
        assert_eq!(marked, names, "the code blocks of {document} are those in DOCUMENTS");
        for name in names {
            assert!(
                include_str!("docs.rs").contains(&format!("block(\"{name}\")")),
                "a test runs the block {name}"
            );
        }
    }
}

/// Checks every inline `make …` and `postern …`.
#[test]
fn every_named_command_exists() {
    let makefile = include_str!("../../Makefile");
    let mut checked = 0;
    for (document, text, _) in DOCUMENTS {
        for span in
            text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2))
        {
            let mut words = span
                .split_whitespace()
                .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
            match words.next() {
                Some("make") => {
                    let target = words.next().unwrap_or("help");
                    assert!(
                        makefile.contains(&format!("\n{target}:")),
                        "{document}: the Makefile has the target {target}"
                    );
                }
                Some("postern") => {
                    let output = Command::new(binary())
                        .args(words)
                        .arg("--help")
                        .output()
                        .expect("the command runs");
                    assert!(
                        output.status.success(),
                        "{document}: `{span}` exists: {}",
                        said(&output)
                    );
                }
                _ => continue,
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "more than 20 commands are checked, not {checked}");
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
    command.env("POSTERN__AUDIT__LOG_ORIGIN", postern_tests::LOG_NAME);
    command
}

async fn ends_well(mut command: Command) -> String {
    let output: Output =
        tokio::task::spawn_blocking(move || command.output().expect("the shell runs"))
            .await
            .expect("the task completes");
    assert!(output.status.success(), "the shell succeeds: {}", said(&output));
    said(&output)
}

/// Time limit until a command serves. Includes a build.
const START_TIMEOUT: Duration = Duration::from_mins(8);

/// Runs a command that ends with a server. Returns its output up to the banner, then stops its
/// process group.
fn serves(mut command: Command) -> Vec<String> {
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
    let output = serves(command).join("\n");
    assert!(output.contains("Swagger UI"), "the banner names Swagger UI: {output}");
}

async fn documented_tour_works(t: &App) {
    let tour = block("tour").replace("http://127.0.0.1:8080", &t.address);
    let output = ends_well(shell(&tour, t.folder.path())).await;
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

/// Creates an empty database and returns its name.
async fn fresh(t: &App, suffix: &str) -> String {
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
fn at(t: &App, script: &str, name: &str) -> String {
    let base = t.db.url.rsplit_once('/').expect("the database URL has a path").0;
    let script =
        script.replace("postgres://postern_server:…@db/postern", &format!("{base}/{name}"));
    script.replace(
        "postgres://postern_owner:…@db/postern",
        &as_role(&format!("{base}/{name}"), OWNER),
    )
}

async fn documented_production_setup_works(t: &App) {
    let name = fresh(t, "real").await;
    fs::write(t.folder.path().join("password-on-one-line"), "four random words do\n")
        .expect("the file is written");
    let output = ends_well(shell(&at(t, &block("for-real"), &name), t.folder.path())).await;
    assert!(
        output.contains("all checks passed") && output.contains("the super_admin tier"),
        "doctor passes and the tier is granted: {output}"
    );
    t.db.execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .expect("the database is dropped");
}

async fn documented_tenancy_setup_works(t: &App) {
    let name = fresh(t, "tenants").await;
    let command = shell(&at(t, &block("set-up"), &name), t.folder.path());
    let output = tokio::task::spawn_blocking(|| serves(command))
        .await
        .expect("the task completes")
        .join("\n");
    assert!(
        output.contains("all checks passed") && output.contains("Postern is running"),
        "doctor passes and the server starts: {output}"
    );
    t.db.execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .expect("the database is dropped");
}

/// The comment at the end of each line states the result of its last statement.
async fn documented_rls_queries_work(t: &App) {
    let acme = t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await;
    let server = t.db.sign_in_as(postern_tests::SERVER).await;
    for line in block("fence").replace("<an org>", &acme.to_string()).lines() {
        let (sql, expected) = line.split_once("--").expect("a comment states the result");
        let (before, last) = sql
            .trim()
            .trim_end_matches(';')
            .rsplit_once(';')
            .unwrap_or(("", sql.trim().trim_end_matches(';')));
        server.execute_unprepared(before).await.expect("the statement runs");
        let result = server
            .query_one_raw(Statement::from_string(sea_orm::DbBackend::Postgres, last.trim()))
            .await;
        let number = |result: Result<Option<sea_orm::QueryResult>, sea_orm::DbErr>| -> i64 {
            result
                .expect("the query runs")
                .expect("the query returns a row")
                .try_get_by_index(0)
                .expect("the column is a number")
        };
        match expected.trim() {
            "permission denied" => assert!(
                result.is_err_and(|error| error.to_string().contains("permission denied")),
                "permission denied: {line}"
            ),
            "0: no pin" => assert_eq!(number(result), 0, "no rows: {line}"),
            "that org's" => {
                let members =
                    t.db.count(&format!("SELECT count(*) FROM membership WHERE org_id = '{acme}'"))
                        .await;
                assert!(members > 0 && number(result) == members, "the members of the org: {line}");
            }
            other => panic!("the test handles the result {other}"),
        }
    }
    server.close().await.expect("the connection closes");
}

async fn documented_log_verification_works(t: &App) {
    let owner = acts(t).await;
    let write = |name: &str, text: String| {
        fs::write(t.folder.path().join(name), text).expect("the file is written")
    };
    write("kept-1.txt", checkpoint(&owner).await);
    owner.patch("/v1/orgs/acme", serde_json::json!({ "name": "Acme once more" })).await.expect(200);
    t.sequence().await;
    write("kept-2.txt", checkpoint(&owner).await);
    write("log.keys", owner.get("/v1/orgs/acme/audit-log/keys").await.expect(200).body);
    write("log.ndjson", export(&owner).await);
    let script = block("verify").replace("https://postern.example", &t.address);
    let script = script.replace(
        "POSTERN_TOKEN=…",
        &format!("POSTERN_TOKEN={}", owner.token.as_ref().expect("the caller is signed in")),
    );
    let output = ends_well(shell(&script, t.folder.path())).await;
    assert_eq!(
        output.matches("valid: every event").count(),
        2,
        "both verifications succeed: {output}"
    );
}

async fn documented_client_generation_works(t: &App) {
    let tools = tools();
    let script = block("clients").replace("http://127.0.0.1:8080", &t.address);
    let mut command = shell(&script, t.folder.path());
    let path = std::env::var("PATH").expect("PATH is set");
    command.env("PATH", format!("{0}/node_modules/.bin:{0}/python/bin:{path}", tools.display()));
    ends_well(command).await;
    assert!(
        t.folder.path().join("postern.d.ts").is_file()
            && t.folder.path().join("postern_client/client.py").is_file(),
        "both clients are generated"
    );
}

/// Runs the documented Python program on an export and compares its leaf hashes.
async fn documented_leaf_hash_program_works(t: &App) {
    let owner = acts(t).await;
    let export = export(&owner).await;
    // Pending events have no leaf hash.
    let leaf = |line: &str| {
        serde_json::from_str::<Value>(line).expect("the text is valid JSON")["opening"]["leaf"]
            .as_str()
            .map(str::to_owned)
    };
    let (events, leaves): (Vec<&str>, Vec<String>) =
        export.lines().filter_map(|line| Some((line, leaf(line)?))).unzip();
    assert!(leaves.len() > 6, "the export has more than 6 leaves: {}", leaves.len());
    let file: PathBuf = t.folder.path().join("events.ndjson");
    fs::write(&file, events.join("\n")).expect("the file is written");
    let program = format!(
        "{}\nfor line in open({:?}, encoding=\"utf-8\"):\n    print(leaf(line))\n",
        block("leaf"),
        file.display().to_string()
    );
    let mut python = Command::new("python3");
    python.args(["-c", &program]);
    assert_eq!(
        ends_well(python).await.lines().collect::<Vec<_>>(),
        leaves,
        "the program prints the leaf hashes of the export"
    );
}
