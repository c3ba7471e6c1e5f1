//! The `postern` process: statements per request, start, shutdown, configuration and commands.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use postern_tests::{App, LOG_NAME, PASSWORD, on_both};
use serde_json::json;

on_both![
    requests_send_few_statements,
    shutdown_finishes_running_requests,
    readyz_fails_while_draining
];

async fn requests_send_few_statements(t: &App) {
    let me = t.sign_in("owner@acme.example").await;
    let member = t.member_id("acme", "viewer@acme.example").await;
    let cost = |method: &'static str, path: String, body: Option<serde_json::Value>| {
        let me = &me;
        async move {
            let before = t.state.store.statements();
            let answer = me.send(method, &path, body).await;
            assert!(answer.status < 300, "{method} {path} succeeds: {}", answer.body);
            t.state.store.statements() - before
        }
    };
    for path in [
        "",
        "/members",
        "/members?limit=1",
        "/members?q=acme&role=viewer",
        "/settings",
        "/features",
        "/dashboard",
        "/audit-events",
        "/impersonations",
    ] {
        let statements = cost("GET", format!("/v1/orgs/acme{path}"), None).await;
        assert!(statements <= 5, "GET {path} sends at most 5 statements, not {statements}");
    }
    let full_page = cost("GET", "/v1/orgs/acme/members?limit=100".to_owned(), None).await;
    assert_eq!(
        full_page,
        cost("GET", "/v1/orgs/acme/members?limit=1".to_owned(), None).await,
        "the number of statements does not depend on the page size"
    );
    for path in ["/v1/me", "/v1/me/sessions", "/v1/orgs", "/v1/me/permissions?org=acme"] {
        let statements = cost("GET", path.to_owned(), None).await;
        assert!(statements <= 5, "GET {path} sends at most 5 statements, not {statements}");
    }
    let path = format!("/v1/orgs/acme/members/{member}");
    for (method, path, body) in [
        ("PATCH", path.clone(), Some(json!({ "role": "member" }))),
        ("DELETE", path, None),
        ("PATCH", "/v1/orgs/acme".to_owned(), Some(json!({ "name": "Other" }))),
        ("PATCH", "/v1/orgs/acme/settings".to_owned(), Some(json!({ "support_email": null }))),
        ("POST", "/v1/orgs".to_owned(), Some(json!({ "name": "New", "slug": "new-org" }))),
    ] {
        let statements = cost(method, path.clone(), body).await;
        assert!(statements <= 9, "{method} {path} sends at most 9 statements, not {statements}");
    }
}

async fn shutdown_finishes_running_requests(t: &App) {
    let slow = App::start(t.backend, |config| {
        config.passwords.memory_kib = 19_456;
        config.passwords.max_concurrent_hashes = 1;
    })
    .await;
    // Demo accounts have cheap hashes; the sign-in of an unknown user computes an expensive one.
    let sign_in = slow.log_in("unknown@acme.example", PASSWORD);
    let state = std::sync::Arc::clone(&slow.state);
    let stop = async {
        // Waits until the request has sent a statement.
        let before = state.store.statements();
        while state.store.statements() == before {
            tokio::task::yield_now().await;
        }
        slow.handle().stop().await;
    };
    let (answer, ()) = futures_util::future::join(sign_in, stop).await;
    answer.problem(401, "invalid_credentials");
    assert!(state.is_stopping(), "the server is stopping");
    slow.finish().await;
}

async fn readyz_fails_while_draining(t: &App) {
    let draining = App::start(t.backend, |config| config.server.drain_seconds = 3).await;
    draining.anonymous().get("/readyz").await.expect(200);
    let poll = async {
        while draining.anonymous().get("/readyz").await.status == 200 {}
        draining.anonymous().get("/readyz").await.problem(503, "unavailable");
        draining.anonymous().get("/healthz").await.expect(200);
    };
    futures_util::future::join(draining.handle().stop(), poll).await;
    draining.finish().await;
}

/// Path of the `postern` binary of the same build.
pub fn binary() -> PathBuf {
    let test_binary = std::env::current_exe().expect("the path of the test binary is known");
    let folder = test_binary
        .parent()
        .and_then(Path::parent)
        .expect("the test binary is in target/debug/deps");
    let binary = folder.join("postern");
    assert!(
        binary.is_file(),
        "{} exists: run `make test`, or `cargo build --workspace` first",
        binary.display()
    );
    binary
}

fn postern(folder: &Path, arguments: &[&str]) -> Output {
    postern_with(folder, arguments, &[])
}

/// Runs `postern` to its end, with cheap password hashes.
pub fn postern_with(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder).envs(environment.iter().copied());
    command.env("POSTERN__PASSWORDS__MEMORY_KIB", "8").env("POSTERN__PASSWORDS__ITERATIONS", "1");
    command.env("POSTERN__AUDIT__LOG_ORIGIN", LOG_NAME).output().expect("the command runs")
}

/// Standard output, then standard error.
pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn first_start_creates_keys_and_second_start_reuses_them() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    for start in ["first", "second"] {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        let mut server = Command::new(binary())
            .args(["serve", "--demo"])
            .current_dir(folder.path())
            .env("POSTERN__SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("POSTERN__SERVER__PUBLIC_URL", format!("http://127.0.0.1:{port}"))
            .env("POSTERN__SERVER__DRAIN_SECONDS", "0")
            .env("POSTERN__AUDIT__LOG_ORIGIN", LOG_NAME)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the process starts");
        let banner: Vec<String> =
            BufReader::new(server.stdout.take().expect("the stream is piped"))
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.contains("initech ("))
                .collect();
        let banner = banner.join("\n");
        assert!(
            banner.contains(&format!("http://127.0.0.1:{port}/docs/")),
            "{start} start: the banner has the URL of Swagger UI: {banner}"
        );
        assert!(
            banner.contains("super2@postern.example") && banner.contains(PASSWORD),
            "{start} start: the banner lists the demo accounts: {banner}"
        );
        let stopped = Command::new("kill")
            .args(["-TERM", &server.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(stopped.success(), "SIGTERM is sent");
        assert!(
            server.wait().expect("the process ends").success(),
            "SIGTERM stops the server with status 0"
        );
    }
    let keys = folder.path().join("data/keys");
    assert_eq!(
        fs::metadata(&keys).expect("the file exists").permissions().mode() & 0o777,
        0o700,
        "the key directory is private"
    );
    let key_files: Vec<PathBuf> = fs::read_dir(&keys)
        .expect("the directory is readable")
        .map(|entry| entry.expect("the entry is readable").path())
        .collect();
    assert_eq!(key_files.len(), 3, "three key files are created");
    for file in key_files.iter().chain([&folder.path().join("data/postern.db")]) {
        assert_eq!(
            fs::metadata(file).expect("the file exists").permissions().mode() & 0o777,
            0o600,
            "{} is private",
            file.display()
        );
    }
    for key in key_files {
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644))
            .expect("the permissions are set");
        let output = postern(folder.path(), &["serve"]);
        assert!(
            !output.status.success() && said(&output).contains("chmod 600"),
            "serve does not start with a readable key {}: {}",
            key.display(),
            said(&output)
        );
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))
            .expect("the permissions are set");
    }
}

#[test]
fn staff_command_grants_and_revokes_tiers() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    assert!(postern(folder.path(), &["demo"]).status.success(), "`postern demo` succeeds");
    assert!(postern(folder.path(), &["demo"]).status.success(), "`postern demo` can be repeated");
    let reason = ["--reason", "joins the support team"];
    let grant = |email: &str, tier: &str| {
        postern(folder.path(), &["staff", "grant", email, tier, reason[0], reason[1]])
    };
    let granted = grant("Owner@Initech.example", "engineering");
    assert!(
        granted.status.success()
            && said(&granted).contains("granted owner@initech.example the engineering tier"),
        "the tier is granted: {}",
        said(&granted)
    );
    for (output, fault) in [
        (grant("owner@initech.example", "super_admin"), "at most 2 super admins"),
        (grant("owner@initech.example", "boss"), "unknown tier: use support"),
        (grant("unknown@initech.example", "support"), "user unknown@initech.example not found"),
        (
            postern(
                folder.path(),
                &["staff", "grant", "owner@initech.example", "support", "--reason", "short"],
            ),
            "15 to 500",
        ),
        (
            postern(
                folder.path(),
                &["staff", "revoke", "viewer@acme.example", reason[0], reason[1]],
            ),
            "not staff",
        ),
    ] {
        assert!(
            !output.status.success() && said(&output).contains(fault),
            "the command fails with {fault:?}: {}",
            said(&output)
        );
    }
    assert!(
        postern(folder.path(), &["staff", "revoke", "owner@initech.example", reason[0], reason[1]])
            .status
            .success(),
        "the tier is revoked"
    );
}

#[test]
fn user_add_command_creates_accounts() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let add = |email: &str, password: &str| {
        let mut command = Command::new(binary());
        command.env("POSTERN__AUDIT__LOG_ORIGIN", LOG_NAME);
        command.args(["user", "add", email, "--name", "Sofia Marin"]).current_dir(folder.path());
        command
            .env("POSTERN__PASSWORDS__MEMORY_KIB", "8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command runs");
        child
            .stdin
            .take()
            .expect("the stream is piped")
            .write_all(format!("{password}\n").as_bytes())
            .expect("the password is sent");
        child.wait_with_output().expect("the process ends")
    };
    let weak = add("sofia@vendor.example", "password1234");
    assert!(
        !weak.status.success() && said(&weak).contains("too common"),
        "a common password is rejected: {}",
        said(&weak)
    );
    let added = add("Sofia@vendor.example", "four random words do");
    assert!(
        added.status.success() && said(&added).contains("created sofia@vendor.example (user_"),
        "the account is created: {}",
        said(&added)
    );
    let again = add("sofia@vendor.example", "four random words do");
    assert!(
        !again.status.success() && said(&again).contains("already"),
        "an existing address is rejected: {}",
        said(&again)
    );
    let grant = [
        "staff",
        "grant",
        "sofia@vendor.example",
        "super_admin",
        "--reason",
        "the first super admin",
    ];
    assert!(postern(folder.path(), &grant).status.success(), "the account can be granted a tier");
}

#[test]
fn demo_is_rejected_on_other_databases() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    assert!(postern(folder.path(), &["demo"]).status.success(), "`postern demo` succeeds");
    let database = format!("sqlite://{}", folder.path().join("data/postern.db").display());
    actix_web::rt::System::new().block_on(async {
        use sea_orm::ConnectionTrait;
        let raw = sea_orm::Database::connect(database).await.expect("the database opens");
        raw.execute_unprepared("DELETE FROM instance").await.expect("the statement runs");
    });
    let refused = postern(folder.path(), &["serve", "--demo"]);
    assert!(
        !refused.status.success() && said(&refused).contains("needs a separate database"),
        "serve does not start: {}",
        said(&refused)
    );
}

#[test]
fn all_configuration_faults_are_reported() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    fs::write(
        folder.path().join("bad.toml"),
        "[server]\nlisten = 1\nprot = 2\n[impersonation]\nminutes = \"long\"\n[mail]\nx = 1\n",
    )
    .expect("the file is written");
    let output = postern(folder.path(), &["--config", "bad.toml", "migrate"]);
    assert!(!output.status.success(), "the command fails");
    for fault in ["4 error(s)", "server.listen", "server.prot", "impersonation.minutes", "mail"] {
        assert!(said(&output).contains(fault), "the error lists {fault}: {}", said(&output));
    }
    assert!(
        !folder.path().join("data").exists(),
        "nothing is created before the configuration is valid"
    );
    let missing = postern(folder.path(), &["--config", "missing.toml", "migrate"]);
    assert!(
        said(&missing).contains("file not found"),
        "a missing configuration file is reported: {}",
        said(&missing)
    );
}
