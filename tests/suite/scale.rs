//! A large database: no operation or filter scans a whole large table. PostgreSQL counts sequential
//! scans per table, including those of constraints and policies.

use postern_api::operations::TABLE;
use postern_domain::scope::ScopeKind;
use postern_persistence::demo::Size;
use postern_tests::{App, tests_on};

use crate::{coverage, isolation};

tests_on! { postgres, Postgres: no_operation_scans_a_large_table }

/// Tables with many rows. The planner prefers sequential scans for small tables and partitions.
const LARGE: &str =
    "SELECT oid FROM pg_class WHERE reltuples > CASE WHEN relispartition THEN 20000 ELSE 500 END";

async fn no_operation_scans_a_large_table(t: &App) {
    let server = App::start(t.backend, |_| {}).await;
    server.fill(Size { orgs: 3_000, members: 5, events: 90_000 }).await;
    server.sequence().await;
    server.run_sql("ANALYZE").await;
    let before = scans(&server).await;
    assert!(before.len() >= 12, "at least 12 tables are large: {before:?}");

    let owner = server.sign_in("owner@acme.example").await;
    let admin = server.sign_in("super@postern.example").await;
    let anonymous = server.anonymous();
    let (target, _) = server.impersonate(&admin, "member@acme.example", "acme", "read_only").await;
    let contract = isolation::contract(&server).await;
    // Operations that end the caller's session or delete the org run last, with new sessions.
    let last = ["logout", "change_password", "delete_org"];
    for row in TABLE.iter().filter(|row| !last.contains(&row.id)) {
        let caller = match row.scope {
            ScopeKind::Public => &anonymous,
            ScopeKind::Staff => &admin,
            ScopeKind::User | ScopeKind::Org => &owner,
        };
        let (method, path, body) = coverage::request(&server, row, "acme").await;
        let answer = caller.send(method, &path, body.clone()).await;
        // 404 for nonexistent sessions and impersonations also runs the lookup.
        assert!(
            answer.status < 300 || answer.status == 404,
            "{} {path} succeeds or finds nothing: {}",
            row.id,
            answer.body
        );
        if method == "GET" {
            target.get(&path).await;
        }
        // Every filter of a list, with values that match and values that do not.
        let filters = contract
            .iter()
            .filter(|swept| swept.method == method && swept.path.replace("{org}", "acme") == path)
            .flat_map(|swept| &swept.query);
        for filter in filters {
            let mut accepted = false;
            for value in [
                "acme",
                "org.created",
                "company-7",
                "viewer@acme.example",
                "user_01k7fgpr00e00800000000000g",
                "org_01k7fgpr00e00800000000000g",
                "imp_01k7fgpr00e00800000000000g",
                "denied",
                "owner",
                "2026-03-01T00:00:00Z",
                "10.0.0.1",
            ] {
                let answer =
                    caller.get(&format!("{path}?{filter}={}", value.replace('@', "%40"))).await;
                // 404 for a nonexistent org also runs the lookup.
                accepted |= [200, 404].contains(&answer.status);
            }
            assert!(accepted, "{}: one of the values is valid for {filter}", row.id);
        }
    }
    // A text search examines a limited number of events per page; all pages together cover the log.
    let (mut path, mut events, mut pages) =
        ("/v1/admin/audit-events?q=company-17&limit=100".to_owned(), 0, 0);
    loop {
        let page = admin.get(&path).await.expect(200);
        let page_events = page.json["data"].as_array().expect("data is an array").len();
        (events, pages) = (events + page_events, pages + 1);
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        path = format!("/v1/admin/audit-events?q=company-17&limit=100&cursor={next}");
    }
    let expected = server
        .db
        .count("SELECT count(*) FROM audit_event WHERE target_label LIKE '%company-17%'")
        .await;
    assert!(
        i64::try_from(events) == Ok(expected) && pages > 4,
        "the search finds {expected} events on more than 4 pages, not {events} on {pages}"
    );

    for id in last {
        let row = TABLE.iter().find(|row| row.id == id).expect("the operation is in the table");
        let (method, path, body) = coverage::request(&server, row, "acme").await;
        let caller = server
            .sign_in(if id == "change_password" {
                "admin@acme.example"
            } else {
                "owner@acme.example"
            })
            .await;
        let answer = caller.send(method, &path, body).await;
        assert!(answer.status < 300, "{id} succeeds: {}", answer.body);
    }

    // PostgreSQL adds a connection's statistics when the connection closes.
    server.state.store.close().await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
                usename = 'postern_server'";
    let mut polls = 0;
    while server.db.count(open).await > 0 {
        polls += 1;
        assert!(polls < 10_000, "the server's connections close");
    }
    let after = scans(&server).await;
    assert_eq!(before, after, "no large table is scanned");
    server.finish().await;
}

/// Number of sequential scans of each large table, as "table count".
async fn scans(t: &App) -> Vec<String> {
    let sql = format!(
        "SELECT relname || ' ' || seq_scan FROM pg_stat_user_tables WHERE relid IN ({LARGE}) ORDER \
         BY 1"
    );
    t.db.texts(&sql).await
}
