//! The two backends of docs/integrate.md, as they stand there: what they take, show and refuse.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{ChildStdout, Command, Stdio},
};

use postern_domain::clock::{Clock, SystemClock};
use postern_tests::{App, Person, tests_on};
use serde_json::{Value, json};

use crate::clients::{Working, contract_folder, tools};

tests_on! { sqlite, Sqlite: typescript_example_backend_checks_tokens, python_example_backend_checks_tokens }

async fn typescript_example_backend_checks_tokens(t: &App) {
    example_backend_checks_tokens(t, "typescript").await;
}

async fn python_example_backend_checks_tokens(t: &App) {
    example_backend_checks_tokens(t, "python").await;
}

/// One of the backends of docs/integrate.md.
struct Product {
    _process: Working,
    /// What it says of each request, which it would not survive not to be able to.
    _said: BufReader<ChildStdout>,
    port: u16,
}

/// One that takes the keys from this address.
async fn product(t: &App, language: &str, postern: &str) -> Product {
    let folder = tempfile::tempdir_in(t.folder.path()).expect("a folder").keep();
    let configured = json!({ "issuer": t.state.server.public_url, "audience": "postern-api" });
    fs::write(folder.join("postern.json"), configured.to_string()).expect("is written");
    let mut command = Command::new(contract_folder().join("product.sh"));
    command.args([language, postern, "0"]).current_dir(&folder);
    let mut process = Working(command.stdout(Stdio::piped()).spawn().expect("starts"));
    let mut said = BufReader::new(process.0.stdout.take().expect("piped"));
    let (line, said) = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        said.read_line(&mut line).expect("it says something, or ends");
        (line, said)
    })
    .await
    .expect("is read");
    let port = line
        .trim()
        .strip_prefix("listening on ")
        .and_then(|port| port.parse().ok())
        .expect("it starts, and says where");
    Product { _process: process, _said: said, port }
}

/// What a product answers.
async fn asked(product: &Product, method: &str, path: &str, token: String) -> (u16, Value) {
    let url = format!("http://127.0.0.1:{}{path}", product.port);
    let request =
        reqwest::Client::new().request(method.parse().expect("a method"), url).bearer_auth(token);
    let answer = request.send().await.expect("answers");
    (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
}

/// The backends of docs/integrate.md: what they take, show and refuse.
async fn example_backend_checks_tokens(t: &App, language: &str) {
    tools();
    // They go by the time of day.
    t.clock.turn(SystemClock.now() - t.clock.now());
    let running = product(t, language, &t.address).await;
    let ask = |method: &'static str, path: &'static str, token: String| {
        asked(&running, method, path, token)
    };
    let token = |who: &Person<'_>| who.token.clone().expect("a token");
    let member = t.sign_in("member@acme.example").await;
    let support = t.sign_in("support@postern.example").await;
    let (full, _) = t.impersonate(&support, "member@acme.example", "acme", "full").await;
    let (looking, _) = t.impersonate(&support, "member@acme.example", "acme", "read_only").await;
    for (who, method, path, status, banner) in [
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
        (&looking, "GET", "/", 200, Some("support@postern.example is looking at this account.")),
        (&looking, "POST", "/notes", 403, None),
    ] {
        let (given, said) = ask(method, path, token(who)).await;
        assert_eq!(given, status, "{method} {path}: {said}");
        let shown = said["banner"].as_str();
        assert!(
            status != 200
                || shown.is_some() == banner.is_some()
                    && shown.unwrap_or_default().starts_with(banner.unwrap_or_default()),
            "{said}"
        );
    }
    // Python's own server takes the first slashes for one, as its router does.
    if language == "typescript" {
        for doubled in ["//account", "//notes/payment-method"] {
            assert_eq!(ask("POST", doubled, token(&full)).await.0, 400, "{doubled}");
        }
    }
    // What is not Postern's, not for it, changed, or over.
    let good = token(&member);
    let (head, rest) = good.split_once('.').expect("three parts");
    let (claims, signature) = rest.split_once('.').expect("three parts");
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    for bad in [
        String::new(),
        "x.y.z".to_owned(),
        format!("{none}.{claims}."),
        format!("{head}.{claims}."),
        format!("{head}.{claims}A.{signature}"),
    ] {
        assert_eq!(ask("GET", "/", bad.clone()).await.0, 401, "{bad}");
    }
    let cut_off = product(t, language, "http://127.0.0.1:1").await;
    assert_eq!(
        asked(&cut_off, "GET", "/", good).await.0,
        503,
        "whose keys cannot be had, nobody's tokens are bad"
    );
    t.clock.turn(chrono::TimeDelta::hours(-1));
    let old = t.sign_in("member@acme.example").await;
    assert_eq!(ask("GET", "/", token(&old)).await.0, 401, "it is over");
}
