//! What others make of the contract: clients that their generators write, and every question that a fuzzer finds in it, asked of a real server.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::OnceLock,
};

use postern_domain::clock::{Clock, SystemClock};
use postern_tests::{App, Person, on_both, tests_on};
use serde_json::{Value, json};

use crate::pump::work;

on_both![typescript_does_the_job, python_does_the_job];

tests_on! { browser, Sqlite: an_operator_works_in_swagger_ui }
tests_on! { products, Sqlite: a_product_in_typescript_takes_the_tokens, a_product_in_python_takes_the_tokens }

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
struct Working(Child);

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
    let output = tokio::task::spawn_blocking(move || command.output().expect("the script runs")).await.expect("ends");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

fn contract_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contract")
}

/// The folder of the tools, which are brought once, whoever needs them first.
pub fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let output = Command::new(contract_folder().join("tools.sh")).output().expect("the script runs");
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

async fn a_product_in_typescript_takes_the_tokens(t: &App) {
    a_product_takes_the_tokens(t, "typescript").await;
}

async fn a_product_in_python_takes_the_tokens(t: &App) {
    a_product_takes_the_tokens(t, "python").await;
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
    let port = line.trim().strip_prefix("listening on ").and_then(|port| port.parse().ok()).expect("it starts, and says where");
    Product { _process: process, _said: said, port }
}

/// What a product answers.
async fn asked(product: &Product, method: &str, path: &str, token: String) -> (u16, Value) {
    let url = format!("http://127.0.0.1:{}{path}", product.port);
    let request = reqwest::Client::new().request(method.parse().expect("a method"), url).bearer_auth(token);
    let answer = request.send().await.expect("answers");
    (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
}

/// The backends of docs/integrate.md: what they take, show and refuse.
async fn a_product_takes_the_tokens(t: &App, language: &str) {
    tools();
    // They go by the time of day.
    t.clock.turn(SystemClock.now() - t.clock.now());
    let running = product(t, language, &t.address).await;
    let ask = |method: &'static str, path: &'static str, token: String| asked(&running, method, path, token);
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
        (&full, "DELETE", "//account", 403, None),
        (&full, "DELETE", "/%2Faccount", 403, None),
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
            status != 200 || shown.is_some() == banner.is_some() && shown.unwrap_or_default().starts_with(banner.unwrap_or_default()),
            "{said}"
        );
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
    assert_eq!(asked(&cut_off, "GET", "/", good).await.0, 503, "whose keys cannot be had, nobody's tokens are bad");
    t.clock.turn(chrono::TimeDelta::hours(-1));
    let old = t.sign_in("member@acme.example").await;
    assert_eq!(ask("GET", "/", token(&old)).await.0, 401, "it is over");
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

/// `make contract-diff`, in a repository of its own.
#[test]
fn what_breaks_a_client_is_named() {
    tools();
    let folder = tempfile::tempdir().expect("a folder");
    let git = |args: &[&str]| {
        let who = ["-c", "user.name=nobody", "-c", "user.email=nobody@postern.example", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").args(who).args(args).current_dir(&folder).output().expect("git is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let write = |contract: &Value| fs::write(folder.path().join("openapi/openapi.json"), contract.to_string()).expect("is written");
    let compared = || {
        let output = Command::new(contract_folder().join("diff.sh")).current_dir(&folder).output().expect("the script runs");
        let said = String::from_utf8(output.stdout).expect("text");
        (output.status.code(), said, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let contract: Value = serde_json::from_str(&postern_api::openapi()).expect("JSON");
    git(&["init", "--quiet"]);
    fs::create_dir(folder.path().join("openapi")).expect("a folder");
    write(&contract);
    let (code, said, complaint) = compared();
    assert!(code == Some(0) && said.contains("no version has been tagged yet"), "{said}{complaint}");
    // Where git itself fails, nobody is told that all is well.
    let output = Command::new(contract_folder().join("diff.sh")).arg("v9").current_dir(&folder).output().expect("the script runs");
    assert!(!output.status.success());
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    git(&["tag", "v0.1.0"]);
    let (code, said, complaint) = compared();
    assert!(code == Some(0) && said.contains("nothing has changed."), "{said}{complaint}");

    // What breaks nobody.
    let mut wider = contract.clone();
    let optional = json!({ "name": "since", "in": "query", "schema": { "type": "string" } });
    wider["paths"]["/v1/orgs/{org}/members"]["get"]["parameters"].as_array_mut().expect("parameters").push(optional);
    wider["paths"]["/v1/teams"] = contract["paths"]["/v1/orgs"].clone();
    wider["components"]["schemas"]["Member"]["properties"]["team"] = json!({ "type": "string" });
    wider["components"]["schemas"]["KnownProblemCode"]["enum"].as_array_mut().expect("codes").push("too_tired".into());
    wider["components"]["schemas"]["MeView"]["properties"]["user"]["description"] = "Who it is.".into();
    wider["components"]["schemas"]["UpdateOrgBody"]["properties"]["name"]["maxLength"] = 200.into();
    write(&wider);
    let (code, said, complaint) = compared();
    assert!(code == Some(0) && !said.contains("Breaking"), "{said}{complaint}");
    for named in ["(since)", "GET /v1/teams, POST /v1/teams: added it", "code may say \"too_tired\"", "properties/team", "100 → 200"] {
        assert!(said.contains(named), "{named} is not in {said}");
    }

    // What breaks somebody, one at a time, each by its name.
    let members = "/paths/~1v1~1orgs~1{org}~1members/get";
    let schema = |rest: &str| format!("/components/schemas/{rest}");
    let breaks: [(String, &str, Value, &str); 24] = [
        ("/paths/~1v1~1me".into(), "patch", Value::Null, "PATCH /v1/me: removed it"),
        ("/paths".into(), "/v1/admin/search", Value::Null, "GET /v1/admin/search: removed it"),
        ("/paths/~1v1~1orgs/post".into(), "operationId", json!("make_org"), "operationId \"create_org\" → \"make_org\""),
        ("/paths/~1v1~1me/get".into(), "x-impersonation", json!("blocked"), "x-impersonation \"allowed\" → \"blocked\""),
        (members.into(), "x-required-permission", json!("members:manage"), "x-required-permission"),
        (format!("{members}/parameters/1/schema"), "type", json!("string"), "schema/type \"integer\" → \"string\""),
        (format!("{members}/parameters/1/schema"), "maximum", json!(50), "schema/maximum 100 → 50"),
        (format!("{members}/parameters/1"), "required", json!(true), "parameters/1/required"),
        (
            "/paths/~1v1~1auth~1logout/post".into(),
            "requestBody",
            json!({ "required": true, "content": {} }),
            "POST /v1/auth/logout: added requestBody",
        ),
        ("/paths/~1healthz/get".into(), "security", json!([{ "bearer": [] }]), "GET /healthz: added security/0"),
        ("/servers/0".into(), "url", json!("/api"), "servers/0/url"),
        (schema("Member/properties"), "name", Value::Null, "properties/name"),
        (schema("Member/properties/created_at"), "format", json!("date"), "created_at/format"),
        (schema("Member/properties/email"), "type", json!(["string", "null"]), "properties/email/type"),
        (schema("Settings"), "required", json!(["branding"]), "required/"),
        (schema("Exhibit/allOf/1/properties"), "opening", Value::Null, "opening"),
        (schema("ActorRef/discriminator"), "propertyName", json!("kind"), "discriminator/propertyName"),
        (schema("Role"), "enum", json!(["viewer", "member", "admin", "boss"]), "\"owner\" → \"boss\""),
        (schema("Outcome"), "enum", json!(["succeeded", "denied", "failed", "unknown"]), "enum/3 \"unknown\""),
        (
            schema("UpdateOrgBody"),
            "required",
            json!(["name"]),
            "PATCH /v1/orgs/{org}: added requestBody/content/application/json/schema/required/0 \"name\"",
        ),
        (
            schema("UpdateMeBody/properties"),
            "image_url",
            Value::Null,
            "PATCH /v1/me: removed requestBody/content/application/json/schema/properties/image_url",
        ),
        (schema("UpdateMeBody/properties/name"), "enum", json!(["Ana"]), "properties/name/enum"),
        (schema("CreateOrgBody/properties/slug"), "pattern", json!("^x$"), "slug/pattern"),
        ("/components/schemas".into(), "Usage", Value::Null, "there is no schema of this name any more: UsageView"),
    ];
    for (at, name, value, named) in breaks {
        let mut other = contract.clone();
        let there = other.pointer_mut(&at).and_then(Value::as_object_mut).unwrap_or_else(|| panic!("{at} is not there"));
        match value {
            Value::Null if name == "Usage" => {
                // Under another name.
                let usage = there.remove("UsageView").expect("it was there");
                there.insert("Usage".to_owned(), usage);
                other = serde_json::from_str(&other.to_string().replace("schemas/UsageView", "schemas/Usage")).expect("JSON");
            }
            Value::Null => drop(there.remove(name).expect("it was there")),
            value => drop(there.insert(name.to_owned(), value)),
        }
        write(&other);
        let (code, said, complaint) = compared();
        let breaking = said.split("Breaking:").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
        assert!(code == Some(1) && breaking.contains(named), "{named} is not among what breaks: {said}{complaint}");
    }
}
