//! `make bench`: cost of the server compared with the database alone. Everything runs on one
//! machine in one run. Results that depend on the machine are ratios: each round measures `pgbench`
//! with the statements of a request, then the requests, over the same number of connections.

mod audit;
mod http;
mod served;
mod statements;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use postern_api::State;
use postern_domain::{
    clock::{Clock, RequestContext, SystemClock},
    event::Source,
    session::Session,
};
use postern_persistence::Store;
use postern_tests::{Cluster, SERVER, SUPERUSER, store_options, test_config};
use serde_json::json;

use crate::served::{Served, migrate, spread};

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("audit") {
        let mut number = |default| {
            arguments.next().map_or(default, |number| number.parse().expect("a number of events"))
        };
        return audit::run(number(10_000_000), number(1_000_000));
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    println!("| measurement | result |\n| --- | --- |");
    token_check(folder.path());
    let cluster = Cluster::start("-c log_min_messages=log -c shared_buffers=256MB");
    let database = cluster.url(SERVER, "postgres");
    // The database `postgres` belongs to the superuser, so the superuser also owns the schema.
    migrate(folder.path(), &database, &cluster.url(SUPERUSER, "postgres"));
    let server = Served::start(folder.path(), &database, true);
    let owner = server.sign_in("owner@acme.example");
    let members = server.get(&owner, "/v1/orgs/acme/members");
    let id = |role: &str| {
        members["data"]
            .as_array()
            .expect("a list of members")
            .iter()
            .find(|member| member["email"] == format!("{role}@acme.example"))
            .expect("the demo has this member")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    let (viewer, member) = (id("viewer"), id("member"));
    let list = http::Request::new(&server.address, "GET", "/v1/orgs/acme/members", &owner, None);
    let single = http::Request::new(
        &server.address,
        "GET",
        &format!("/v1/orgs/acme/members/{member}"),
        &owner,
        None,
    );
    let path = format!("/v1/orgs/acme/members/{viewer}");
    let change = |role: &str| {
        http::Request::new(&server.address, "PATCH", &path, &owner, Some(json!({ "role": role })))
    };
    let changes = [change("member"), change("viewer")];
    for (name, requests) in [
        ("list of members", &[list][..]),
        ("single member", &[single]),
        ("audited role change", &changes),
    ] {
        let script = statements::of(&cluster, folder.path(), || requests[0].once());
        requests.iter().for_each(http::Request::once);
        let (mut rates, mut database_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let database_rate = statements::pgbench(&cluster, &script, CONNECTIONS, ROUND);
            let rate = http::rate(requests, CONNECTIONS, ROUND);
            ratios.push(rate / database_rate);
            database_rates.push(database_rate);
            rates.push(rate);
        }
        println!("| {name}: requests per second | {} |", spread(rates, 0));
        println!("| {name}: same statements with pgbench | {} |", spread(database_rates, 0));
        println!("| {name}: ratio | {} |", spread(ratios, 2));
    }
    drop(server);

    let mut ready = Vec::new();
    for _ in 0..ROUNDS {
        let server = Served::start(folder.path(), &database, true);
        ready.push(server.ready.as_secs_f64() * 1000.0);
    }
    println!("| start until ready, migrated PostgreSQL, ms | {} |", spread(ready, 0));
    for (name, database) in [
        ("PostgreSQL", database),
        ("SQLite", format!("sqlite://{}", folder.path().join("bench.db").display())),
    ] {
        let server = Served::start(folder.path(), &database, true);
        println!("| resident memory, idle, {name}, MiB | {:.0} |", server.memory("VmRSS"));
        let signed_in = http::sign_ins(&server.address, 200);
        println!(
            "| peak memory with 200 concurrent sign-ins, {name}, MiB | {:.0} ({signed_in} of 200 \
             signed in) |",
            server.memory("VmHWM")
        );
    }
}

/// Measures the CPU time of checking an access token: parsing, signature, claims.
fn token_check(folder: &Path) {
    let config = test_config(&folder.join("tokens"));
    let (state, token) = actix_web::rt::System::new().block_on(async {
        let store = Store::connect(&store_options(&format!(
            "sqlite://{}",
            folder.join("tokens.db").display()
        )))
        .await
        .expect("the database opens");
        let state = State::new(config, store, Arc::new(SystemClock)).expect("the state is built");
        let context = RequestContext {
            now: SystemClock.now(),
            ids: Arc::clone(&state.ids),
            source: Source::default(),
        };
        let session = Session {
            id: context.id(),
            user_id: context.id(),
            created_at: context.now,
            last_used_at: context.now,
            expires_at: context.now + chrono::TimeDelta::days(1),
            ended_at: None,
            ip: None,
            user_agent: None,
        };
        let token = state.tokens.access(&session, &context);
        (state, token)
    });
    let headers = |token: &str| {
        let mut headers = actix_web::http::header::HeaderMap::new();
        headers.insert(
            actix_web::http::header::AUTHORIZATION,
            format!("Bearer {token}").parse().expect("a header value"),
        );
        headers
    };
    let measure = |name: &str, headers: &[actix_web::http::header::HeaderMap]| {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            for headers in headers.iter().cycle().take(2_000) {
                std::hint::black_box(state.tokens.bearer(headers, SystemClock.now()).is_ok());
            }
            rounds.push(begun.elapsed().as_secs_f64() * 1e6 / 2_000.0);
        }
        println!("| {name}, µs of one core | {} |", spread(rounds, 1));
    };
    // A wrong signature is never cached, and costs as much as the first check of a right one.
    let wrong = format!("{}AAAA", &token[..token.len() - 4]);
    measure("token check with signature verification", &[headers(&wrong)]);
    measure("token check, cached", &[headers(&token)]);
}
