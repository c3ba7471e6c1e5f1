//! Filtered pages of an org that has half of all events, at several depths.

use std::time::Instant;

use chrono::TimeDelta;
use postern_domain::clock::{Clock, SystemClock};

use super::Bench;
use crate::{
    http, psql,
    served::{Served, spread},
};

const ORGS: u32 = 100;
/// Depths from which pages are read, in days.
const DEPTHS: [i64; 8] = [0, 1, 30, 90, 180, 270, 330, 360];
/// Number of pages from each depth.
const PAGES: usize = 5;

/// Query parameters. `{org}` is the slug of the org; `{early}` and `{late}` are two times.
const FILTERS: &[&str] = &[
    "",
    "action=user.removed",
    "action=user.role_changed",
    "action=user.*",
    "action=impersonation.*",
    "outcome=denied",
    "outcome=failed",
    "actor=member-7@{org}.example",
    "target=member-77@{org}.example",
    "target=unknown",
    "ip=203.0.7.7",
    "ip=203.0.113.1",
    "ticket_ref=SUP-7",
    "on_behalf_of=member-57@{org}.example",
    "q=something%20of%20member%2077",
    "action=settings.updated&actor=member-11@{org}.example",
    "from={early}&to={late}&outcome=denied",
];

pub fn measure(bench: &Bench<'_>, events: u64) {
    let orgs = bench.create_orgs("many", ORGS);
    create_events(bench, events);
    let largest = &orgs[0].slug;
    let server = Served::start(bench.folder, &bench.database, true);
    let owner = server.sign_in("owner@acme.example");
    println!(
        "| existing events, of which {largest} has half | {events}, {} in each other org |",
        events / u64::from(ORGS * 2)
    );
    for filter in FILTERS {
        let times = measure_filter(&server, &owner, largest, filter);
        let name = if filter.is_empty() { "none" } else { *filter };
        println!("| page with filter `{name}`, ms | {} |", spread(times, 1));
    }
}

/// Creates events in the database, and indexes afterwards: it is much faster.
fn create_events(bench: &Bench<'_>, events: u64) {
    psql::run(bench.cluster, include_str!("monthly_partitions.sql"));
    bench.migrate();
    let definitions = "SELECT string_agg(format('DROP INDEX %I', c.relname), ';'), \
        string_agg(replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON '), ';') \
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
        WHERE i.indrelid = 'audit_event'::regclass AND NOT i.indisprimary";
    let indexes = psql::run(bench.cluster, definitions);
    let (drop_indexes, create_indexes) =
        indexes.trim().split_once('|').expect("the row has two columns");
    let insert = include_str!("many_events.sql")
        .replace("{events}", &events.to_string())
        .replace("{orgs}", &ORGS.to_string());
    for sql in [drop_indexes, &insert, create_indexes, "VACUUM ANALYZE"] {
        psql::run(bench.cluster, sql);
    }
}

/// Milliseconds of each page.
fn measure_filter(server: &Served, owner: &str, org: &str, filter: &str) -> Vec<f64> {
    let query = filter
        .replace("{org}", org)
        .replace("{early}", &days_ago(200))
        .replace("{late}", &days_ago(199));
    let mut times = Vec::new();
    for depth in DEPTHS {
        let to = if query.contains("to=") || depth == 0 {
            String::new()
        } else {
            format!("&to={}", days_ago(depth))
        };
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let path = format!("/v1/orgs/{org}/audit-events?{query}{to}{cursor}");
            let request = http::Request::new(&server.address, "GET", &path, owner, None);
            let start = Instant::now();
            let page = request.response();
            times.push(start.elapsed().as_secs_f64() * 1000.0);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
    }
    times
}

/// The time `days` ago, in the format of a query parameter.
fn days_ago(days: i64) -> String {
    (SystemClock.now() - TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
