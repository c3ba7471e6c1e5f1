//! Sequencing, proofs, export and verification of one org's long log.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::Bench;
use crate::{
    download, http, psql,
    served::{Served, binary, spread},
};

pub fn measure(bench: &Bench<'_>, events: u64) {
    create_events(bench, events);
    let server = Served::start(bench.folder, &bench.database, true);
    measure_sequencing(&server);
    psql::run(bench.cluster, "VACUUM ANALYZE");
    let owner = server.sign_in("member-1@company-1.example");
    measure_proofs(&server, &owner);
    measure_export(bench, &server, &owner, events);
    measure_verification(bench, &server, &owner, events);
}

/// Creates one org with events that are not in its log.
fn create_events(bench: &Bench<'_>, events: u64) {
    let demo = Command::new(binary())
        .args(["demo", "--orgs", "1", "--members", "5", "--events", &events.to_string()])
        .current_dir(bench.folder)
        .env("POSTERN__DATABASE__URL", &bench.database)
        .env("POSTERN__DATABASE__STATEMENT_TIMEOUT_SECONDS", "3600")
        .env("POSTERN__LOG__FILTER", "warn")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(demo.expect("the command runs").success(), "`postern demo` succeeds");
    psql::run(bench.cluster, "VACUUM ANALYZE");
}

fn measure_sequencing(server: &Served) {
    let start = Instant::now();
    let queue_length = || {
        let metrics = download::text(&server.address, "/metrics", "");
        metrics
            .lines()
            .find_map(|line| line.strip_prefix("postern_audit_queue_length ")?.parse::<f64>().ok())
            .expect("the metric is present")
    };
    let queued = queue_length();
    while queue_length() > 0.0 {
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("| events sequenced per second | {:.0} |", queued / start.elapsed().as_secs_f64());
}

fn measure_proofs(server: &Served, owner: &str) {
    let page = server.get(owner, "/v1/orgs/company-1/audit-events?limit=100");
    let events = page["data"].as_array().expect("data is an array").iter();
    let mut times = Vec::new();
    for id in events.filter_map(|event| event["id"].as_str()) {
        let path = format!("/v1/orgs/company-1/audit-log/proof?event={id}");
        let request = http::Request::new(&server.address, "GET", &path, owner, None);
        let start = Instant::now();
        request.once();
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    println!("| inclusion proof, ms | {} |", spread(times, 1));
}

fn measure_export(bench: &Bench<'_>, server: &Served, owner: &str, events: u64) {
    let file = bench.folder.join("log.ndjson");
    let before = server.memory("VmRSS");
    let start = Instant::now();
    let path = "/v1/orgs/company-1/audit-events/export";
    let lines = download::save_export(&server.address, path, owner, &file);
    let seconds = start.elapsed().as_secs_f64();
    let size = fs::metadata(&file).expect("the export exists").len() >> 20;
    println!("| export of {events} events: s, MiB, lines | {seconds:.0}, {size}, {lines} |");
    println!(
        "| resident memory before the export, and peak, MiB | {before:.0}, {:.0} |",
        server.memory("VmHWM")
    );
}

/// Verifies the file that [`measure_export`] saved.
fn measure_verification(bench: &Bench<'_>, server: &Served, owner: &str, events: u64) {
    let keys = download::text(&server.address, "/v1/orgs/company-1/audit-log/keys", owner);
    fs::write(bench.folder.join("keys"), keys).expect("the keys are written");
    let mut seconds = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        let verify = Command::new(binary())
            .args(["audit", "verify", "log.ndjson", "--key", "keys"])
            .current_dir(bench.folder)
            .output()
            .expect("the command runs");
        assert!(
            verify.status.success(),
            "the export is valid: {}",
            String::from_utf8_lossy(&verify.stdout)
        );
        seconds.push(start.elapsed().as_secs_f64());
    }
    println!("| verifying {events} events, s | {} |", spread(seconds, 1));
}
