//! The example backends of docs/integrate.md: accepted tokens, impersonation banner, blocked paths.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{ChildStdout, Command, Stdio},
};

use chrono::TimeDelta;
use postern_domain::clock::{Clock, SystemClock};
use postern_tests::{App, Person, tests_on};
use serde_json::{Value, json};

use super::{KillOnDrop, contract_folder, tools};

tests_on! { typescript, Sqlite:
    typescript_backend_restricts_impersonation,
    typescript_backend_rejects_invalid_tokens,
    typescript_backend_without_keys_is_unavailable
}

tests_on! { python, Sqlite:
    python_backend_restricts_impersonation,
    python_backend_rejects_invalid_tokens,
    python_backend_without_keys_is_unavailable
}

async fn typescript_backend_restricts_impersonation(t: &App) {
    let product = Product::start(t, "typescript", &t.address).await;
    restricts_impersonation(t, &product).await;
    let support = t.sign_in("support@postern.example").await;
    let (full, _) = t.impersonate(&support, "member@acme.example", "acme", "full").await;
    // Python's HTTP server collapses leading slashes before routing.
    for doubled in ["//account", "//notes/payment-method"] {
        let (status, body) = product.send("POST", doubled, &token(&full)).await;
        assert_eq!(status, 400, "{doubled} is rejected: {body}");
    }
}

async fn python_backend_restricts_impersonation(t: &App) {
    let product = Product::start(t, "python", &t.address).await;
    restricts_impersonation(t, &product).await;
}

async fn typescript_backend_rejects_invalid_tokens(t: &App) {
    rejects_invalid_tokens(t, "typescript").await;
}

async fn python_backend_rejects_invalid_tokens(t: &App) {
    rejects_invalid_tokens(t, "python").await;
}

async fn typescript_backend_without_keys_is_unavailable(t: &App) {
    is_unavailable_without_keys(t, "typescript").await;
}

async fn python_backend_without_keys_is_unavailable(t: &App) {
    is_unavailable_without_keys(t, "python").await;
}

/// A running example backend.
struct Product {
    _process: KillOnDrop,
    /// Standard output, kept open: the backend logs each request and fails on a closed pipe.
    _stdout: BufReader<ChildStdout>,
    port: u16,
}

impl Product {
    /// Starts a backend that fetches signing keys from `postern`, a base URL. Sets the clock to the
    /// system's, which the backends use.
    async fn start(t: &App, language: &str, postern: &str) -> Self {
        tools();
        t.clock.set(SystemClock.now());
        let folder =
            tempfile::tempdir_in(t.folder.path()).expect("a temporary directory is created").keep();
        let config = json!({ "issuer": t.state.server.public_url, "audience": "postern-api" });
        fs::write(folder.join("postern.json"), config.to_string()).expect("the file is written");
        let mut command = Command::new(contract_folder().join("product.sh"));
        command.args([language, postern, "0"]).current_dir(&folder);
        let mut process =
            KillOnDrop(command.stdout(Stdio::piped()).spawn().expect("the process starts"));
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
        Self { _process: process, _stdout: stdout, port }
    }

    /// Sends a request. Returns the status and JSON body of the response.
    async fn send(&self, method: &str, path: &str, token: &str) -> (u16, Value) {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = reqwest::Client::new()
            .request(method.parse().expect("the method is valid"), url)
            .bearer_auth(token);
        let response = request.send().await.expect("the server responds");
        (response.status().as_u16(), response.json().await.expect("the body is valid JSON"))
    }
}

fn token(caller: &Person<'_>) -> String {
    caller.token.clone().expect("the caller is signed in")
}

async fn restricts_impersonation(t: &App, product: &Product) {
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
        let (actual, body) = product.send(method, path, &token(caller)).await;
        assert_eq!(actual, status, "{method} {path}: {body}");
        let shown_banner = body["banner"].as_str();
        assert!(
            status != 200
                || shown_banner.is_some() == banner.is_some()
                    && shown_banner.unwrap_or_default().starts_with(banner.unwrap_or_default()),
            "{method} {path}: the banner names the staff member under impersonation: {body}"
        );
    }
}

/// Sends tokens that are malformed, unsigned, changed, missing or expired.
async fn rejects_invalid_tokens(t: &App, language: &str) {
    let product = Product::start(t, language, &t.address).await;
    let valid = token(&t.sign_in("member@acme.example").await);
    let (status, body) = product.send("GET", "/", &valid).await;
    assert_eq!(status, 200, "the valid token is accepted: {body}");
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
        let (status, body) = product.send("GET", "/", &invalid).await;
        assert_eq!(status, 401, "{invalid:?} is rejected: {body}");
    }
    t.clock.advance(TimeDelta::hours(-1));
    let expired = token(&t.sign_in("member@acme.example").await);
    let (status, body) = product.send("GET", "/", &expired).await;
    assert_eq!(status, 401, "an expired token is rejected: {body}");
}

async fn is_unavailable_without_keys(t: &App, language: &str) {
    let without_keys = Product::start(t, language, "http://127.0.0.1:1").await;
    let valid = token(&t.sign_in("member@acme.example").await);
    let (status, body) = without_keys.send("GET", "/", &valid).await;
    assert_eq!(
        status, 503,
        "tokens are not rejected with 401 if the keys cannot be fetched: {body}"
    );
}
