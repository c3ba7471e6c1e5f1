//! The example backends of docs/integrate.md: accepted tokens, impersonation banner, blocked paths.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{ChildStdout, Command, Stdio},
};

use postern_domain::clock::{Clock, SystemClock};
use postern_tests::{App, Person, tests_on};
use serde_json::{Value, json};

use crate::clients::{Working, contract_folder, tools};

tests_on! { sqlite, Sqlite:
    typescript_example_backend_checks_tokens,
    python_example_backend_checks_tokens
}

async fn typescript_example_backend_checks_tokens(t: &App) {
    example_backend_checks_tokens(t, "typescript").await;
}

async fn python_example_backend_checks_tokens(t: &App) {
    example_backend_checks_tokens(t, "python").await;
}

/// A running example backend.
struct Product {
    _process: Working,
    /// Standard output, kept open: the backend logs each request and fails on a closed pipe.
    _said: BufReader<ChildStdout>,
    port: u16,
}

/// Starts an example backend that fetches signing keys from `postern`, a base URL.
async fn product(t: &App, language: &str, postern: &str) -> Product {
    let folder =
        tempfile::tempdir_in(t.folder.path()).expect("a temporary directory is created").keep();
    let config = json!({ "issuer": t.state.server.public_url, "audience": "postern-api" });
    fs::write(folder.join("postern.json"), config.to_string()).expect("the file is written");
    let mut command = Command::new(contract_folder().join("product.sh"));
    command.args([language, postern, "0"]).current_dir(&folder);
    let mut process = Working(command.stdout(Stdio::piped()).spawn().expect("the process starts"));
    let mut stdout = BufReader::new(process.0.stdout.take().expect("the stream is piped"));
    let (line, stdout) = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the first line is read");
        (line, stdout)
    })
    .await
    .expect("the task completes");
    let port = line
        .trim()
        .strip_prefix("listening on ")
        .and_then(|port| port.parse().ok())
        .expect("the backend prints its port");
    Product { _process: process, _said: stdout, port }
}

/// Status and JSON body of a request to an example backend.
async fn asked(product: &Product, method: &str, path: &str, token: String) -> (u16, Value) {
    let url = format!("http://127.0.0.1:{}{path}", product.port);
    let request = reqwest::Client::new()
        .request(method.parse().expect("the method is valid"), url)
        .bearer_auth(token);
    let answer = request.send().await.expect("the server responds");
    (answer.status().as_u16(), answer.json::<Value>().await.expect("the body is valid JSON"))
}

/// Sends valid, impersonated, forged and expired tokens to an example backend.
async fn example_backend_checks_tokens(t: &App, language: &str) {
    tools();
    // The backends use the system clock.
    t.clock.turn(SystemClock.now() - t.clock.now());
    let running = product(t, language, &t.address).await;
    let request = |method: &'static str, path: &'static str, token: String| {
        asked(&running, method, path, token)
    };
    let token = |caller: &Person<'_>| caller.token.clone().expect("the caller is signed in");
    let member = t.sign_in("member@acme.example").await;
    let support = t.sign_in("support@postern.example").await;
    let (full, _) = t.impersonate(&support, "member@acme.example", "acme", "full").await;
    let (read_only, _) = t.impersonate(&support, "member@acme.example", "acme", "read_only").await;
    for (caller, method, path, status, banner) in [
        (&member, "GET", "/", 200, None),
        (&member, "DELETE", "/account", 200, None),
        (&full, "GET", "/", 200, Some("support@postern.example is acting in this account.")),
        (&full, "POST", "/notes", 200, Some("support@postern.example is acting in this account.")),
        (&full, "DELETE", "/account", 403, None),
        (&full, "POST", "/payment-method", 403, None),
        (&full, "DELETE", "/account?now=1", 403, None),
        (&full, "DELETE", "/account/", 403, None),
        (&full, "DELETE", "/%2Faccount", 403, None),
        (&full, "POST", "/notes/..%5cpayment-method", 400, None),
        (&full, "POST", "/notes/%252e%252e/payment-method", 400, None),
        (&full, "POST", "/%70assword", 403, None),
        (&full, "POST", "/account;x", 400, None),
        (&full, "PUT", "/account", 403, None),
        (&read_only, "GET", "/", 200, Some("support@postern.example is looking at this account.")),
        (&read_only, "POST", "/notes", 403, None),
    ] {
        let (actual, body) = request(method, path, token(caller)).await;
        assert_eq!(actual, status, "{method} {path}: {body}");
        let shown_banner = body["banner"].as_str();
        assert!(
            status != 200
                || shown_banner.is_some() == banner.is_some()
                    && shown_banner.unwrap_or_default().starts_with(banner.unwrap_or_default()),
            "{method} {path}: the banner names the staff member under impersonation: {body}"
        );
    }
    // Python's HTTP server collapses leading slashes before routing.
    if language == "typescript" {
        for doubled in ["//account", "//notes/payment-method"] {
            assert_eq!(
                request("POST", doubled, token(&full)).await.0,
                400,
                "{doubled} is rejected"
            );
        }
    }
    // Tokens that are missing, malformed, unsigned or changed.
    let valid = token(&member);
    let (head, rest) = valid.split_once('.').expect("the token has three parts");
    let (claims, signature) = rest.split_once('.').expect("the token has three parts");
    let unsigned_header = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    for invalid in [
        String::new(),
        "x.y.z".to_owned(),
        format!("{unsigned_header}.{claims}."),
        format!("{head}.{claims}."),
        format!("{head}.{claims}A.{signature}"),
    ] {
        assert_eq!(request("GET", "/", invalid.clone()).await.0, 401, "{invalid:?} is rejected");
    }
    let without_keys = product(t, language, "http://127.0.0.1:1").await;
    assert_eq!(
        asked(&without_keys, "GET", "/", valid).await.0,
        503,
        "tokens are not rejected with 401 if the keys cannot be fetched"
    );
    t.clock.turn(chrono::TimeDelta::hours(-1));
    let expired = t.sign_in("member@acme.example").await;
    assert_eq!(request("GET", "/", token(&expired)).await.0, 401, "an expired token is rejected");
}
