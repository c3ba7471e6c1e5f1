//! `postern demo`, and the demo flag of other commands.

use postern_tests::{App, on_both, tests_on};

use super::{demo_server::DemoServer, output_text, postern, postern_on};

on_both![demo_accounts_require_the_demo_flag];

tests_on! { postgres_only, Postgres: demo_fills_a_database }

async fn demo_accounts_require_the_demo_flag(t: &App) {
    let output = postern_on(&t.db.url, t.folder.path(), &["serve"], &[]);
    assert!(
        !output.status.success() && output_text(&output).contains("refusing to start"),
        "serve does not start: {}",
        output_text(&output)
    );
    assert!(
        output_text(&output).contains("[secrets]") && output_text(&output).contains("--demo"),
        "the error names the check and the flag: {}",
        output_text(&output)
    );
    t.run_sql("DELETE FROM instance").await;
    let output = postern_on(&t.db.url, t.folder.path(), &["doctor", "--demo"], &[]);
    assert!(
        !output.status.success() && output_text(&output).contains("[demo]"),
        "doctor fails without the demo marker: {}",
        output_text(&output)
    );
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
    let output = postern(folder.path(), &["serve", "--demo"]);
    assert!(
        !output.status.success() && output_text(&output).contains("needs a separate database"),
        "serve does not start: {}",
        output_text(&output)
    );
}

#[test]
fn demo_allows_pages_on_localhost() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let server = DemoServer::start(folder.path());
    let allowed = ["http://localhost:5173", "http://127.0.0.1:5173", "http://[::1]:5173"];
    for origin in allowed.into_iter().chain(["http://localhost"]) {
        let response = server.preflight(origin);
        assert!(
            response.contains(&format!("access-control-allow-origin: {origin}\r\n")),
            "{origin} is allowed: {response}"
        );
    }
    let others = [
        "http://localhost.evil.example",
        "http://localhost:5173.evil.example",
        "http://localhost:",
        "https://localhost:5173",
        "http://127.0.0.1.evil.example:80",
        "null",
    ];
    for origin in others {
        let response = server.preflight(origin);
        assert!(!response.contains("access-control-allow-origin"), "{origin}: {response}");
    }
    let log = server.stop();
    for origin in others {
        let expected = format!("the origin {origin} is not allowed: add it to server.cors_origins");
        assert!(log.contains(&expected), "the log has \"{expected}\": {log}");
    }
}

#[test]
fn demo_can_be_repeated() {
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    assert!(postern(folder.path(), &["demo"]).status.success(), "`postern demo` succeeds");
    assert!(postern(folder.path(), &["demo"]).status.success(), "`postern demo` can be repeated");
}

async fn demo_fills_a_database(t: &App) {
    let filled = postern_on(
        &t.db.url,
        t.folder.path(),
        &["demo", "--orgs", "30", "--members", "3", "--events", "600"],
        &[],
    );
    assert!(filled.status.success(), "demo succeeds: {}", output_text(&filled));
    let orgs = "SELECT count(*) FROM organization WHERE slug LIKE 'company-%'";
    assert_eq!(t.db.count(orgs).await, 30, "30 orgs are created");
    assert_eq!(
        t.db.count(
            "SELECT count(*) FROM membership WHERE org_id NOT IN (SELECT id FROM organization \
             WHERE slug NOT LIKE 'company-%')"
        )
        .await,
        90,
        "90 members are created"
    );
    assert_eq!(
        t.db.count("SELECT count(*) FROM audit_event WHERE org_slug LIKE 'company-%'").await,
        600,
        "600 events are created"
    );
    t.skip_invariants();
    let owner = t.sign_in("member-1@company-7.example").await;
    let events = owner.get("/v1/orgs/company-7/audit-events?limit=100").await.expect(200);
    assert_eq!(
        events.json["data"].as_array().map(Vec::len),
        Some(20),
        "the org has 20 events: {}",
        events.body
    );
    let members = owner.get("/v1/orgs/company-7/members").await.expect(200);
    assert_eq!(
        members.json["data"].as_array().map(Vec::len),
        Some(3),
        "the org has 3 members: {}",
        members.body
    );
    owner.get("/v1/orgs/company-8").await.problem(404, "not_found");
}
