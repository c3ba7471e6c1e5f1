//! `make bench`: what the server costs beside the database alone. Everything runs on this machine and in one run, and
//! figures that depend on it are ratios: each round measures `pgbench` with the very statements that a request sends, and
//! then the requests, at the same number of connections.

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
        let mut number = |otherwise| {
            arguments.next().map_or(otherwise, |number| number.parse().expect("a number of events"))
        };
        return audit::run(number(10_000_000), number(1_000_000));
    }
    let folder = tempfile::tempdir().expect("a folder");
    println!("| what | figure |\n| --- | --- |");
    token_check(folder.path());
    let cluster = Cluster::start("-c log_min_messages=log -c shared_buffers=256MB");
    let database = cluster.url(SERVER, "postgres");
    // The owner of the schema needs a database of its own to make it in; this one is the superuser's.
    migrate(folder.path(), &database, &cluster.url(SUPERUSER, "postgres"));
    let server = Served::start(folder.path(), &database, true);
    let owner = server.sign_in("owner@acme.example");
    let members = server.get(&owner, "/v1/orgs/acme/members");
    let id = |who: &str| {
        let all = members["data"].as_array().expect("members").iter();
        all.clone()
            .find(|member| member["email"] == format!("{who}@acme.example"))
            .expect("is there")["id"]
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
    for (what, requests) in [
        ("list of members", &[list][..]),
        ("single member", &[single]),
        ("audited role change", &changes),
    ] {
        let script = statements::of(&cluster, folder.path(), || requests[0].once());
        requests.iter().for_each(http::Request::once);
        let (mut rates, mut alone, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let database_alone = statements::pgbench(&cluster, &script, CONNECTIONS, ROUND);
            let rate = http::rate(requests, CONNECTIONS, ROUND);
            ratios.push(rate / database_alone);
            alone.push(database_alone);
            rates.push(rate);
        }
        println!("| {what}: requests a second | {} |", spread(rates, 0));
        println!("| {what}: the same statements by pgbench | {} |", spread(alone, 0));
        println!("| {what}: ratio | {} |", spread(ratios, 2));
    }
    drop(server);

    let mut ready = Vec::new();
    for _ in 0..ROUNDS {
        let server = Served::start(folder.path(), &database, true);
        ready.push(server.ready.as_secs_f64() * 1000.0);
    }
    println!("| ready on a migrated PostgreSQL, ms | {} |", spread(ready, 0));
    for (name, database) in [
        ("PostgreSQL", database),
        ("SQLite", format!("sqlite://{}", folder.path().join("bench.db").display())),
    ] {
        let server = Served::start(folder.path(), &database, true);
        println!("| resident, idle, {name}, MiB | {:.0} |", server.memory("VmRSS"));
        let signed_in = http::sign_ins(&server.address, 200);
        println!(
            "| peak with 200 sign-ins at once, {name}, MiB | {:.0} ({signed_in} of 200 signed in) |",
            server.memory("VmHWM")
        );
    }
}

/// CPU time of checking one access token: parsing, the signature, the claims.
fn token_check(folder: &Path) {
    let config = test_config(&folder.join("tokens"));
    let (state, token) = actix_web::rt::System::new().block_on(async {
        let store = Store::connect(&store_options(&format!(
            "sqlite://{}",
            folder.join("tokens.db").display()
        )))
        .await
        .expect("opens");
        let state = State::new(config, store, Arc::new(SystemClock)).expect("sound");
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
            format!("Bearer {token}").parse().expect("a header"),
        );
        headers
    };
    let measure = |what: &str, headers: &[actix_web::http::header::HeaderMap]| {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            for one in headers.iter().cycle().take(2_000) {
                std::hint::black_box(state.tokens.bearer(one, SystemClock.now()).is_ok());
            }
            rounds.push(begun.elapsed().as_secs_f64() * 1e6 / 2_000.0);
        }
        println!("| {what}, µs on one core | {} |", spread(rounds, 1));
    };
    // A signature that is wrong is never remembered, and costs what the first sight of a right one does.
    let wrong = format!("{}AAAA", &token[..token.len() - 4]);
    measure("token check, signature verified", &[headers(&wrong)]);
    measure("token check, seen before", &[headers(&token)]);
}
