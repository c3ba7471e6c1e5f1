//! `make bench`: cost of the server compared with the database alone. Everything runs on one
//! machine in one run. Results that depend on the machine are ratios: each round measures `pgbench`
//! with the statements of a request, then the requests, over the same number of connections.

mod audit;
mod download;
mod http;
mod psql;
mod served;
mod statements;
mod token_check;

use std::{path::Path, time::Duration};

use postern_tests::{Cluster, SERVER, SUPERUSER};
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
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    println!("| measurement | result |\n| --- | --- |");
    token_check::measure(folder.path());
    let cluster = Cluster::start("-c log_min_messages=log -c shared_buffers=256MB");
    let database = cluster.url(SERVER, "postgres");
    // The database `postgres` belongs to the superuser, so the superuser also owns the schema.
    migrate(folder.path(), &database, &cluster.url(SUPERUSER, "postgres"));
    measure_requests(&cluster, folder.path(), &database);
    measure_start(folder.path(), &database);
    measure_memory("PostgreSQL", folder.path(), &database);
    let sqlite = format!("sqlite://{}", folder.path().join("bench.db").display());
    measure_memory("SQLite", folder.path(), &sqlite);
}

/// Measures requests, and their statements with `pgbench`.
fn measure_requests(cluster: &Cluster, folder: &Path, database: &str) {
    let server = Served::start(folder, database, true);
    let owner = server.sign_in("owner@acme.example");
    let list = http::Request::new(&server.address, "GET", "/v1/orgs/acme/members", &owner, None);
    let member = member_path(&server, &owner, "member@acme.example");
    let single = http::Request::new(&server.address, "GET", &member, &owner, None);
    let viewer = member_path(&server, &owner, "viewer@acme.example");
    let changes = ["member", "viewer"].map(|role| {
        let body = Some(json!({ "role": role }));
        http::Request::new(&server.address, "PATCH", &viewer, &owner, body)
    });
    for (name, requests) in [
        ("list of members", &[list][..]),
        ("single member", &[single]),
        ("audited role change", &changes),
    ] {
        let script = statements::of(cluster, folder, || requests[0].once());
        requests.iter().for_each(http::Request::once);
        let (mut rates, mut database_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let database_rate = statements::pgbench(cluster, &script, CONNECTIONS, ROUND);
            let rate = http::rate(requests, CONNECTIONS, ROUND);
            ratios.push(rate / database_rate);
            database_rates.push(database_rate);
            rates.push(rate);
        }
        println!("| {name}: requests per second | {} |", spread(rates, 0));
        println!("| {name}: same statements with pgbench | {} |", spread(database_rates, 0));
        println!("| {name}: ratio | {} |", spread(ratios, 2));
    }
}

fn member_path(server: &Served, owner: &str, email: &str) -> String {
    let members = server.get(owner, "/v1/orgs/acme/members");
    let member = members["data"]
        .as_array()
        .expect("data is an array")
        .iter()
        .find(|member| member["email"] == email)
        .expect("the demo has this member");
    format!("/v1/orgs/acme/members/{}", member["id"].as_str().expect("id is a string"))
}

fn measure_start(folder: &Path, database: &str) {
    let mut ready = Vec::new();
    for _ in 0..ROUNDS {
        let server = Served::start(folder, database, true);
        ready.push(server.ready.as_secs_f64() * 1000.0);
    }
    println!("| start until ready, migrated PostgreSQL, ms | {} |", spread(ready, 0));
}

/// Measures memory, idle and with concurrent sign-ins, on a backend called `name`.
fn measure_memory(name: &str, folder: &Path, database: &str) {
    let server = Served::start(folder, database, true);
    println!("| resident memory, idle, {name}, MiB | {:.0} |", server.memory("VmRSS"));
    let signed_in = http::sign_ins(&server.address, 200);
    println!(
        "| peak memory with 200 concurrent sign-ins, {name}, MiB | {:.0} ({signed_in} of 200 \
         signed in) |",
        server.memory("VmHWM")
    );
}
