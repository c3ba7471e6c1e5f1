//! Query plans in a large database: no operation or filter scans a whole large table. PostgreSQL
//! counts sequential scans per table, including those of constraints and policies.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use postern_api::operations::TABLE;
use postern_domain::{operation::Operation, scope::ScopeKind};
use postern_persistence::demo::Size;
use postern_tests::{App, Person, Response, tests_on};
use serde_json::Value;

use crate::{coverage, tenancy::isolation::documented_operations};

tests_on! { postgres, Postgres: no_operation_scans_a_large_table }

/// Tables with many rows. The planner prefers sequential scans for small tables and partitions.
const LARGE: &str =
    "SELECT oid FROM pg_class WHERE reltuples > CASE WHEN relispartition THEN 20000 ELSE 500 END";

/// Operations that end the caller's session or delete the org. They run last, with new sessions.
const LAST: [&str; 3] = ["logout", "change_password", "delete_org"];

/// Values for filters, besides the ids of [`filter_values`]. Each matches rows of some operation.
const FILTER_VALUES: [&str; 16] = [
    "acme",
    "settings.updated",
    "user.*",
    "company-7",
    "owner@acme.example",
    "member@acme.example",
    "sup-4312",
    "denied",
    "active",
    "ended",
    "expired",
    "owner",
    "csv",
    "127.0.0.1",
    "2020-03-01T00:00:00Z",
    "2030-03-01T00:00:00Z",
];

/// Filters that match nothing in the platform log: impersonations are recorded in the log of their
/// org.
const OF_IMPERSONATIONS: [&str; 3] = ["impersonation", "on_behalf_of", "ticket_ref"];

async fn no_operation_scans_a_large_table(t: &App) {
    let server = App::start(t.backend, |_| {}).await;
    server.fill(Size { orgs: 3_000, members: 5, events: 90_000 }).await;
    server.sequence().await;
    server.run_sql("ANALYZE").await;
    let before = sequential_scans(&server).await;
    assert!(before.len() >= 12, "at least 12 tables are large: {before:?}");

    run_operations(&server).await;
    search_whole_log(&server).await;
    run_last_operations(&server).await;

    close_connections(&server).await;
    let after = sequential_scans(&server).await;
    assert_eq!(before, after, "no large table is scanned");
    server.finish().await;
}

/// Runs every operation, read operations also under impersonation and with every filter.
async fn run_operations(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    t.impersonate(&support, "viewer@acme.example", "acme", "read_only").await;
    // The impersonation expires.
    t.clock.advance(TimeDelta::minutes(31));
    let owner = t.sign_in("owner@acme.example").await;
    let admin = t.sign_in("super@postern.example").await;
    let anonymous = t.anonymous();
    let (target, started) = t.impersonate(&admin, "member@acme.example", "acme", "read_only").await;
    let documented = documented_operations(t).await;
    let mut values = filter_values(&started);
    for row in TABLE.iter().filter(|row| !LAST.contains(&row.id)) {
        let caller = match row.scope {
            ScopeKind::Public => &anonymous,
            ScopeKind::Staff => &admin,
            ScopeKind::User | ScopeKind::Org => &owner,
        };
        let (method, path, body) = coverage::request(t, row, "acme").await;
        let response = caller.send(method, &path, body.clone()).await;
        // 404 for nonexistent sessions and impersonations also runs the lookup.
        assert!(
            response.status < 300 || response.status == 404,
            "{} {path} succeeds or finds nothing: {}",
            row.id,
            response.body
        );
        if method == "GET" {
            target.get(&path).await;
        }
        let filters = documented
            .iter()
            .filter(|operation| {
                operation.method == method && operation.path.replace("{org}", "acme") == path
            })
            .flat_map(|operation| &operation.query);
        for filter in filters {
            run_filter(caller, row, &path, filter, &mut values).await;
        }
    }
    let unmatched: Vec<_> = values.iter().filter(|(_, matches)| !**matches).collect();
    assert!(unmatched.is_empty(), "each filter value matches rows: {unmatched:?}");
}

/// Values for filters, none of which has matched a row yet.
fn filter_values(started: &Value) -> BTreeMap<String, bool> {
    let impersonation = &started["impersonation"];
    let ids = ["/id", "/staff/id", "/user/id", "/org/id"].map(|pointer| {
        let id = impersonation.pointer(pointer).and_then(Value::as_str);
        id.expect("the impersonation has the id").to_owned()
    });
    let values = FILTER_VALUES.map(str::to_owned).into_iter().chain(ids);
    values.map(|value| (value, false)).collect()
}

/// Runs an operation with every value of a filter, and notes those that match rows.
async fn run_filter(
    caller: &Person<'_>,
    row: &Operation,
    path: &str,
    filter: &str,
    values: &mut BTreeMap<String, bool>,
) {
    let mut filter_matches = false;
    for (value, value_matches) in values {
        let response = caller.get(&format!("{path}?{filter}={}", value.replace('@', "%40"))).await;
        let matches = response.status == 200 && has_rows(&response);
        filter_matches |= matches;
        *value_matches |= matches;
    }
    if row.id == "export_platform_audit_events" && OF_IMPERSONATIONS.contains(&filter) {
        assert!(!filter_matches, "{filter} matches nothing in the platform log");
        return;
    }
    assert!(filter_matches, "{}: one of the values matches rows for {filter}", row.id);
}

/// Whether a response has rows: of a list, of search results, or of an export. Streams only start.
fn has_rows(response: &Response) -> bool {
    if response.header("content-type") == "text/event-stream" {
        return true;
    }
    match response.json.as_object() {
        Some(fields) => {
            fields.values().any(|field| field.as_array().is_some_and(|a| !a.is_empty()))
        }
        None => response.body.contains("evt_"),
    }
}

/// Searches the log with a text. A page examines a limited number of events; all pages together
/// cover the log.
async fn search_whole_log(t: &App) {
    let admin = t.sign_in("super@postern.example").await;
    let (mut path, mut events, mut pages) =
        ("/v1/admin/audit-events?q=company-17&limit=100".to_owned(), 0, 0);
    loop {
        let page = admin.get(&path).await.expect(200);
        let page_events = page.json["data"].as_array().expect("data is an array").len();
        (events, pages) = (events + page_events, pages + 1);
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        path = format!("/v1/admin/audit-events?q=company-17&limit=100&cursor={next}");
    }
    let expected =
        t.db.count("SELECT count(*) FROM audit_event WHERE target_label LIKE '%company-17%'").await;
    assert!(
        i64::try_from(events) == Ok(expected) && pages > 4,
        "the search finds {expected} events on more than 4 pages, not {events} on {pages}"
    );
}

async fn run_last_operations(t: &App) {
    for id in LAST {
        let row = TABLE.iter().find(|row| row.id == id).expect("the operation is in the table");
        let (method, path, body) = coverage::request(t, row, "acme").await;
        let email =
            if id == "change_password" { "admin@acme.example" } else { "owner@acme.example" };
        let response = t.sign_in(email).await.send(method, &path, body).await;
        assert!(response.status < 300, "{id} succeeds: {}", response.body);
    }
}

/// Closes the server's connections: PostgreSQL adds a connection's statistics when it closes.
async fn close_connections(t: &App) {
    t.state.store.close().await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
                usename = 'postern_server'";
    let mut polls = 0;
    while t.db.count(open).await > 0 {
        polls += 1;
        assert!(polls < 10_000, "the server's connections close");
    }
}

/// Number of sequential scans of each large table, as "table count".
async fn sequential_scans(t: &App) -> Vec<String> {
    let sql = format!(
        "SELECT relname || ' ' || seq_scan FROM pg_stat_user_tables WHERE relid IN ({LARGE}) ORDER \
         BY 1"
    );
    t.db.texts(&sql).await
}
