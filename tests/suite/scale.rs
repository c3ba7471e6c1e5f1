//! A full database: nothing that the contract asks reads a whole table. PostgreSQL counts its sequential scans itself, table by
//! table, those that checks and policies cause among them.

use postern_api::operations::TABLE;
use postern_domain::scope::ScopeKind;
use postern_persistence::demo::Size;
use postern_tests::{App, tests_on};

use crate::{coverage, isolation};

tests_on! { postgres, Postgres: no_operation_scans_a_large_table }

/// Tables that are large when there are many orgs; a small one is best read whole, and so is a month that has only begun.
const LARGE: &str =
    "SELECT oid FROM pg_class WHERE reltuples > CASE WHEN relispartition THEN 20000 ELSE 500 END";

async fn no_operation_scans_a_large_table(t: &App) {
    let full = App::start(t.backend, |_| {}).await;
    full.fill(Size { orgs: 3_000, members: 5, events: 90_000 }).await;
    full.sequence().await;
    full.meddle("ANALYZE").await;
    let before = scans(&full).await;
    assert!(before.len() >= 12, "{before:?}");

    let owner = full.sign_in("owner@acme.example").await;
    let admin = full.sign_in("super@postern.example").await;
    let anonymous = full.anonymous();
    let (target, _) = full.impersonate(&admin, "member@acme.example", "acme", "read_only").await;
    let contract = isolation::contract(&full).await;
    // What ends the caller's session or the org comes last, each with a session of its own.
    let last = ["logout", "change_password", "delete_org"];
    for row in TABLE.iter().filter(|row| !last.contains(&row.id)) {
        let caller = match row.scope {
            ScopeKind::Public => &anonymous,
            ScopeKind::Staff => &admin,
            ScopeKind::User | ScopeKind::Org => &owner,
        };
        let (method, path, body) = coverage::request(&full, row, "acme").await;
        let answer = caller.send(method, &path, body.clone()).await;
        // What a session or an impersonation that is not there is asked for is looked up as well.
        assert!(answer.status < 300 || answer.status == 404, "{} {path}: {}", row.id, answer.body);
        if method == "GET" {
            target.get(&path).await;
        }
        // Every filter of a list, with something to be found and with nothing.
        let filters = contract
            .iter()
            .filter(|swept| swept.method == method && swept.path.replace("{org}", "acme") == path)
            .flat_map(|swept| &swept.query);
        for filter in filters {
            let mut found = false;
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
                // An org that is not there is looked for as well.
                found |= [200, 404].contains(&answer.status);
            }
            assert!(found, "{}: no value was one for {filter}", row.id);
        }
    }
    // A search by text goes through so many events for a page, and the pages through all of them.
    let (mut path, mut found, mut pages) =
        ("/v1/admin/audit-events?q=company-17&limit=100".to_owned(), 0, 0);
    loop {
        let page = admin.get(&path).await.expect(200);
        (found, pages) = (found + page.json["data"].as_array().expect("a list").len(), pages + 1);
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        path = format!("/v1/admin/audit-events?q=company-17&limit=100&cursor={next}");
    }
    let there = full
        .db
        .count("SELECT count(*) FROM audit_event WHERE target_label LIKE '%company-17%'")
        .await;
    assert!(i64::try_from(found) == Ok(there) && pages > 4, "{found} of {there} on {pages} pages");

    for id in last {
        let row = TABLE.iter().find(|row| row.id == id).expect("is there");
        let (method, path, body) = coverage::request(&full, row, "acme").await;
        let caller = full
            .sign_in(if id == "change_password" {
                "admin@acme.example"
            } else {
                "owner@acme.example"
            })
            .await;
        let answer = caller.send(method, &path, body).await;
        assert!(answer.status < 300, "{id}: {}", answer.body);
    }

    // A connection tells its figures when it closes.
    full.state.store.close().await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'postern_server'";
    let mut asked = 0;
    while full.db.count(open).await > 0 {
        asked += 1;
        assert!(asked < 10_000, "the server's connections stay open");
    }
    let after = scans(&full).await;
    assert_eq!(before, after, "a table was read whole");
    full.finish().await;
}

/// How often each table has been read whole.
async fn scans(t: &App) -> Vec<String> {
    let sql = format!(
        "SELECT relname || ' ' || seq_scan FROM pg_stat_user_tables WHERE relid IN ({LARGE}) ORDER BY 1"
    );
    t.db.texts(&sql).await
}
