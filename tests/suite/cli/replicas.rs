//! Several servers on one PostgreSQL database and one set of keys.

use postern_tests::{App, OWNER, PASSWORD, as_role, tests_on};
use serde_json::{Value, json};

use super::{demo_server::DemoServer, output_text, postern_on};

tests_on! { postgres, Postgres: first_starts_of_replicas_succeed_together }

/// Number of replicas.
const REPLICAS: usize = 4;

async fn first_starts_of_replicas_succeed_together(t: &App) {
    let base = t.db.url.rsplit('/').next().expect("the database URL ends with a name");
    for round in 0..3 {
        let name = format!("{base}_new{round}");
        t.db.execute(&format!("CREATE DATABASE {name} OWNER {OWNER}"))
            .await
            .expect("the database is created");
        let url = t.db.url.replace(&format!("/{base}"), &format!("/{name}"));
        let owner_url = as_role(&url, OWNER);
        let folder = tempfile::tempdir().expect("a temporary directory is created");
        let owner = [("POSTERN__DATABASE__OWNER_URL", owner_url.as_str())];
        let migrated = postern_on(&url, folder.path(), &["migrate"], &owner);
        assert!(migrated.status.success(), "migrate succeeds: {}", output_text(&migrated));

        let environment = [
            ("POSTERN__DATABASE__URL", url.as_str()),
            ("POSTERN__SERVER__PUBLIC_URL", "http://localhost:8080"),
        ];
        let mut replicas: Vec<DemoServer> = (0..REPLICAS)
            .map(|n| DemoServer::spawn(folder.path(), &format!("replica-{n}.log"), &environment))
            .collect();
        for replica in &mut replicas {
            replica.read_banner();
            assert!(replica.banner.contains(PASSWORD), "round {round}: {}", replica.log());
        }
        assert_tokens_work_everywhere(&replicas).await;
        for replica in replicas {
            replica.stop();
        }
        t.db.execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
            .await
            .expect("the database is dropped");
    }
}

/// Asserts that every replica accepts the tokens of every other.
async fn assert_tokens_work_everywhere(replicas: &[DemoServer]) {
    let client = reqwest::Client::new();
    let login = json!({ "email": "owner@acme.example", "password": PASSWORD });
    for issuer in replicas {
        let url = format!("http://127.0.0.1:{}/v1/auth/login", issuer.port);
        let response = client.post(url).json(&login).send().await.expect("the server responds");
        let session: Value = response.json().await.expect("the response is JSON");
        let token = session["access_token"].as_str().expect("the response has a token");
        for replica in replicas {
            let url = format!("http://127.0.0.1:{}/v1/me", replica.port);
            let request = client.get(url).bearer_auth(token);
            let response = request.send().await.expect("the server responds");
            assert_eq!(response.status(), 200, "the token is valid on each replica");
        }
    }
}
