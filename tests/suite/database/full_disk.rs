//! SQLite while writes to its files fail: their size is limited with `prlimit`. SQLite handles the
//! error as it handles a full disk (<https://www.sqlite.org/lang_transaction.html>).

use std::{fs, process::Command};

use postern_tests::PASSWORD;
use serde_json::{Value, json};

use crate::cli::demo_server::DemoServer;

/// Limits the size of the files of a process.
fn limit_files(process: u32, bytes: &str) {
    let limit = Command::new("prlimit")
        .args(["--pid", &process.to_string(), &format!("--fsize={bytes}")])
        .status()
        .expect("prlimit runs");
    assert!(limit.success(), "the limit is set");
}

/// Renames the org. Returns the status of the response.
async fn rename(client: &reqwest::Client, org: &str, token: &str, name: &str) -> u16 {
    let request = client.patch(org).bearer_auth(token).json(&json!({ "name": name }));
    request.send().await.expect("the server responds").status().as_u16()
}

#[actix_web::test]
async fn server_recovers_from_a_full_disk() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let server = DemoServer::start(folder.path());
    let client = reqwest::Client::new();
    let address = format!("http://127.0.0.1:{}", server.port);
    let login = json!({ "email": "owner@acme.example", "password": PASSWORD });
    let login = client.post(format!("{address}/v1/auth/login")).json(&login).send().await;
    let session: Value =
        login.expect("the server responds").json().await.expect("the response is JSON");
    let token = session["access_token"].as_str().expect("the response has a token");
    let org = format!("{address}/v1/orgs/acme");
    assert_eq!(rename(&client, &org, token, "Before").await, 200, "the org is renamed");

    let log = folder.path().join("data/postern.db-wal");
    let size = fs::metadata(&log).expect("the write-ahead log exists").len();
    limit_files(server.id(), &format!("{size}:unlimited"));
    let (mut writes, mut failed) = (0, 0);
    // The log may be reused from its beginning first.
    while failed < 20 {
        writes += 1;
        assert!(writes < 2_000, "writes fail while the disk is full");
        match rename(&client, &org, token, &format!("During {writes}")).await {
            503 => failed += 1,
            status => assert_eq!(status, 200, "writes succeed until the log is full"),
        }
        let read = client.get(&org).bearer_auth(token).send().await.expect("the server responds");
        assert_eq!(read.status(), 200, "reads work");
    }

    limit_files(server.id(), "unlimited:unlimited");
    // On each connection of the pool.
    for n in 0..40 {
        let status = rename(&client, &org, token, &format!("After {n}")).await;
        assert_eq!(status, 200, "writes work again");
    }
    server.stop();
}
