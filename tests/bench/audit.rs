//! `make bench-audit`: cost of audit writes, the transparency log and event pages, with as many
//! events as a large customer has in years.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use postern_tests::{Cluster, SERVER, SUPERUSER};
use serde_json::json;

use crate::{
    http,
    served::{Served, binary, migrate, spread},
    statements,
};

const ROUNDS: usize = 5;
const ORGS: u32 = 100;

/// Runs all measurements with `page_events` events for pages and `log_events` events in one log.
pub fn run(page_events: u64, log_events: u64) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    println!("| measurement | result |\n| --- | --- |");
    // As in production: commits are flushed to disk.
    let durable = Cluster::start(
        "-c log_min_messages=log -c shared_buffers=1GB -c fsync=on -c synchronous_commit=on \
         -c full_page_writes=on",
    );
    let durable_folder = tempfile::tempdir().expect("a temporary directory");
    let database = durable.url(SERVER, "postgres");
    migrate(durable_folder.path(), &database, &durable.url(SUPERUSER, "postgres"));
    audited_write(
        &durable,
        durable_folder.path(),
        &database,
        "no existing events, commits flushed to disk",
    );
    drop(durable);
    // The rest does not wait for the disk.
    let cluster = Cluster::start(
        "-c log_min_messages=log -c shared_buffers=1GB -c maintenance_work_mem=512MB \
         -c max_wal_size=8GB",
    );
    let database = cluster.url(SERVER, "postgres");
    migrate(folder.path(), &database, &cluster.url(SUPERUSER, "postgres"));
    audited_write(&cluster, folder.path(), &database, "no existing events");
    sql(
        &cluster,
        "SET session_replication_role = replica; DELETE FROM audit_queue; DELETE FROM audit_event",
    );
    the_log(&cluster, folder.path(), &database, log_events);
    pages(&cluster, folder.path(), &database, page_events);
    audited_write(&cluster, folder.path(), &database, &format!("{page_events} existing events"));
}

/// Compares an audited write with the same statements without the one that writes the event. Each
/// connection uses a separate org: role changes in one org wait for each other, which would measure
/// the waiting. The first word of `condition` must differ between calls for one cluster.
fn audited_write(cluster: &Cluster, folder: &Path, database: &str, condition: &str) {
    let server = Served::start(folder, database, true);
    let prefix = format!("writing-{}", condition.split(' ').next().unwrap_or_default());
    let orgs = orgs(cluster, &prefix, 8);
    let owner = server.sign_in("owner@acme.example");
    let first = &orgs[0];
    let members = server.get(&owner, &format!("/v1/orgs/{}/members", first[0]));
    let viewer = members["data"]
        .as_array()
        .expect("a list of members")
        .iter()
        .find(|member| member["role"] == "viewer")
        .expect("the org has a viewer");
    let path = format!("/v1/orgs/{}/members/{}", first[0], viewer["id"].as_str().expect("an id"));
    let change = http::Request::new(
        &server.address,
        "PATCH",
        &path,
        &owner,
        Some(json!({ "role": "member" })),
    );
    let audited_script = statements::of(cluster, folder, || change.once());
    drop(server);
    let mut text = fs::read_to_string(&audited_script).expect("the script is readable");
    for (nth, cast) in [(0, ""), (1, "::uuid[]"), (2, "::uuid[]"), (3, "::uuid[]")] {
        let values =
            orgs.iter().map(|org| format!("'{}'", org[nth])).collect::<Vec<_>>().join(", ");
        text = text.replace(
            &format!("'{}'", first[nth]),
            &format!("((ARRAY[{values}]{cast})[1 + :client_id])"),
        );
    }
    fs::write(&audited_script, &text).expect("the script is written");
    let unaudited_script = folder.join("without.sql");
    let unaudited: Vec<&str> =
        text.lines().filter(|line| !line.contains("\"audit_event\"")).collect();
    assert_eq!(unaudited.len() + 1, text.lines().count(), "not one event statement: {text}");
    fs::write(&unaudited_script, unaudited.join("\n")).expect("the script is written");
    for connections in [4, 8] {
        let (mut rates, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let duration = Duration::from_secs(4);
            let unaudited = statements::pgbench(cluster, &unaudited_script, connections, duration);
            let audited = statements::pgbench(cluster, &audited_script, connections, duration);
            rates.push(audited);
            ratios.push(unaudited / audited);
        }
        println!(
            "| audited role changes per second with pgbench; {condition}; {connections} \
             connections | {} |",
            spread(rates, 0)
        );
        println!(
            "| same, time relative to the same write without its event | {} |",
            spread(ratios, 2)
        );
    }
}

/// Creates orgs with the owner and the viewer of the demo. Returns the slug, the org id and the two
/// member ids of each.
fn orgs(cluster: &Cluster, prefix: &str, count: u32) -> Vec<Vec<String>> {
    let insert = format!(
        "SET session_replication_role = replica;
         INSERT INTO organization (id, slug, name, plan, max_users, max_projects, created_at)
         SELECT gen_random_uuid(), '{prefix}-' || n, 'Org ' || n, 'enterprise', 100, 100, now()
         FROM generate_series(1, {count}) AS n;
         INSERT INTO membership (org_id, id, user_id, role, created_at)
         SELECT o.id, gen_random_uuid(), u.id, split_part(u.email, '@', 1), now()
         FROM organization o, \"user\" u
         WHERE o.slug LIKE '{prefix}-%'
           AND u.email IN ('owner@acme.example', 'viewer@acme.example')"
    );
    sql(cluster, &insert);
    let select = format!(
        "SELECT o.slug, o.id, max(m.id::text) FILTER (WHERE m.role = 'owner'),
           max(m.id::text) FILTER (WHERE m.role = 'viewer')
         FROM organization o JOIN membership m ON m.org_id = o.id
         WHERE o.slug LIKE '{prefix}-%' GROUP BY o.id ORDER BY o.id"
    );
    let rows = read(cluster, &select);
    rows.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

/// Measures sequencing, proofs, export and verification of one org's long log.
fn the_log(cluster: &Cluster, folder: &Path, database: &str, events: u64) {
    let demo = Command::new(binary())
        .args(["demo", "--orgs", "1", "--members", "5", "--events", &events.to_string()])
        .current_dir(folder)
        .env("POSTERN__DATABASE__URL", database)
        .env("POSTERN__DATABASE__STATEMENT_TIMEOUT_SECONDS", "3600")
        .env("POSTERN__LOG__FILTER", "warn")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(demo.expect("the command runs").success(), "`postern demo` failed");
    sql(cluster, "VACUUM ANALYZE");
    let server = Served::start(folder, database, true);
    let start = Instant::now();
    let queue_length = |server: &Served| {
        let metrics = text(&server.address, "/metrics", "", "*/*");
        metrics
            .lines()
            .find_map(|line| line.strip_prefix("postern_audit_queue_length ")?.parse::<f64>().ok())
            .expect("the metric is present")
    };
    let queued = queue_length(&server);
    while queue_length(&server) > 0.0 {
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("| events sequenced per second | {:.0} |", queued / start.elapsed().as_secs_f64());
    sql(cluster, "VACUUM ANALYZE");
    let owner = server.sign_in("member-1@company-1.example");
    let page = server.get(&owner, "/v1/orgs/company-1/audit-events?limit=100");
    let ids: Vec<&str> = page["data"]
        .as_array()
        .expect("a list of events")
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    let mut times = Vec::new();
    for id in ids {
        let request = http::Request::new(
            &server.address,
            "GET",
            &format!("/v1/orgs/company-1/audit-log/proof?event={id}"),
            &owner,
            None,
        );
        let start = Instant::now();
        request.once();
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    println!("| inclusion proof, ms | {} |", spread(times, 1));
    let file = folder.join("log.ndjson");
    let before = server.memory("VmRSS");
    let start = Instant::now();
    let lines = save(&server.address, "/v1/orgs/company-1/audit-events", &owner, &file);
    let seconds = start.elapsed().as_secs_f64();
    let size = fs::metadata(&file).expect("the export exists").len() >> 20;
    println!("| export of {events} events: s, MiB, lines | {seconds:.0}, {size}, {lines} |");
    println!(
        "| resident memory before the export, and peak, MiB | {before:.0}, {:.0} |",
        server.memory("VmHWM")
    );
    fs::write(
        folder.join("keys"),
        text(&server.address, "/v1/orgs/company-1/audit-log/keys", &owner, "*/*"),
    )
    .expect("the keys are written");
    let mut seconds = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        let verify = Command::new(binary())
            .args(["audit", "verify", "log.ndjson", "--key", "keys"])
            .current_dir(folder)
            .output()
            .expect("the command runs");
        assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
        seconds.push(start.elapsed().as_secs_f64());
    }
    println!("| verifying {events} events, s | {} |", spread(seconds, 1));
}

/// Measures filtered pages of an org that has half of all events, at several depths.
fn pages(cluster: &Cluster, folder: &Path, database: &str, events: u64) {
    let orgs = orgs(cluster, "many", ORGS);
    // One partition per month, as if the server had been running all the time.
    sql(
        cluster,
        "DO $$ DECLARE month timestamp; edges uuid[]; BEGIN
           FOR back IN 1..12 LOOP
             month := date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => back);
             edges := ARRAY(
               SELECT (lpad(to_hex((extract(epoch FROM edge) * 1000)::bigint), 12, '0')
                 || repeat('0', 20))::uuid
               FROM unnest(ARRAY[month, month + interval '1 month']) AS edge);
             EXECUTE format(
               'CREATE TABLE %I PARTITION OF audit_event FOR VALUES FROM (%L) TO (%L)',
               'audit_event_' || to_char(month, 'YYYY_MM'), edges[1], edges[2]);
           END LOOP;
         END $$",
    );
    migrate(folder, database, &cluster.url(SUPERUSER, "postgres"));
    // Events are generated in the database, and indexes created afterwards: it is much faster.
    let definitions = "SELECT string_agg(format('DROP INDEX %I', c.relname), ';'), \
        string_agg(replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON '), ';') \
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
        WHERE i.indrelid = 'audit_event'::regclass AND NOT i.indisprimary";
    let indexes = read(cluster, definitions);
    let (drop_indexes, create_indexes) = indexes.trim().split_once('|').expect("two columns");
    sql(cluster, drop_indexes);
    let events_per_org = events / u64::from(ORGS * 2);
    let fill = format!(
        "SET session_replication_role = replica; SET synchronous_commit = off;
         INSERT INTO audit_event (id, occurred_at, org_id, org_slug, actor_type, actor_id,
           actor_email, action, outcome, target_type, target_id, target_label, summary, metadata,
           ip, user_agent, request_id, schema_version, salts, ticket_ref, impersonation_id,
           on_behalf_of_id, on_behalf_of_email)
         SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
             || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid,
           at, org.id, org.slug, 'user',
           (lpad(to_hex(mixed % 50), 12, '0') || '70008' || lpad(to_hex(org.nth), 15, '0'))::uuid,
           'member-' || mixed % 50 || '@' || org.slug || '.example',
           (ARRAY['user.role_changed', 'settings.updated', 'org.updated', 'permission.denied',
               'auth.logged_out', 'user.removed'])
             [1 + CASE WHEN mixed % 1000 = 0 THEN 5 ELSE mixed % 5 END],
           CASE WHEN mixed % 5 = 3 THEN 'denied' ELSE 'succeeded' END,
           'member', 'mem_' || mixed % 5000,
           'member-' || mixed % 5000 || '@' || org.slug || '.example',
           'Member ' || mixed % 50 || ' changed something of member ' || mixed % 5000,
           '{{\"role\": {{\"old\": \"viewer\", \"new\": \"member\"}}}}',
           '203.0.' || mixed % 100 || '.' || mixed % 250, 'Mozilla/5.0 (X11; Linux x86_64)',
           md5(n::text), 1, decode(repeat('ab', 112), 'hex'),
           CASE WHEN target THEN 'SUP-' || mixed % 10000 END,
           CASE WHEN target THEN (lpad(to_hex(mixed % 10000), 12, '0')
             || '70018' || lpad(to_hex(org.nth), 15, '0'))::uuid END,
           CASE WHEN target THEN (lpad(to_hex(mixed % 500), 12, '0')
             || '70008' || lpad(to_hex(org.nth), 15, '0'))::uuid END,
           CASE WHEN target THEN 'member-' || mixed % 500 || '@' || org.slug || '.example' END
         FROM generate_series(1, {events}) AS n
         CROSS JOIN LATERAL (SELECT (n::bigint * 2654435761 % 4294967296) / 64 AS mixed) AS mixing
         CROSS JOIN LATERAL (SELECT mixed % 50 = 7 AS target) AS impersonation
         JOIN LATERAL (
           SELECT CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + (n / 2) % ({ORGS} - 1) END AS nth
         ) AS which ON true
         JOIN (
           SELECT id, slug, row_number() OVER (ORDER BY id) AS nth
           FROM organization WHERE slug LIKE 'many-%'
         ) AS org USING (nth)
         CROSS JOIN LATERAL (
           SELECT now() - interval '365 days' + n * (interval '365 days' / {events}) AS at
         ) AS happened;
         INSERT INTO audit_leaf (org_id, leaf_index, event_id, hash)
         SELECT org_id, row_number() OVER (PARTITION BY org_id ORDER BY id) - 1, id,
           decode(repeat('ab', 32), 'hex')
         FROM audit_event WHERE org_slug LIKE 'many-%'"
    );
    sql(cluster, &fill);
    sql(cluster, create_indexes);
    sql(cluster, "VACUUM ANALYZE");
    let largest = &orgs[0][0];
    let server = Served::start(folder, database, true);
    let owner = server.sign_in("owner@acme.example");
    println!(
        "| existing events, of which {largest} has half | {events}, {events_per_org} in each other \
         org |"
    );
    for filter in [
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
    ] {
        let query = filter
            .replace("{org}", largest)
            .replace("{early}", &ago(200))
            .replace("{late}", &ago(199));
        let mut times = Vec::new();
        // Five pages from each of several depths of the year.
        for days in [0, 1, 30, 90, 180, 270, 330, 360] {
            let to = if query.contains("to=") || days == 0 {
                String::new()
            } else {
                format!("&to={}", ago(days))
            };
            let mut cursor = String::new();
            for _ in 0..5 {
                let path = format!("/v1/orgs/{largest}/audit-events?{query}{to}{cursor}");
                let request = http::Request::new(&server.address, "GET", &path, &owner, None);
                let start = Instant::now();
                let page = request.answer();
                times.push(start.elapsed().as_secs_f64() * 1000.0);
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
        }
        println!(
            "| page with filter `{}`, ms | {} |",
            if filter.is_empty() { "none" } else { filter },
            spread(times, 1)
        );
    }
}

/// The time `days` ago, in the format of a query parameter.
fn ago(days: i64) -> String {
    let now = postern_domain::clock::Clock::now(&postern_domain::clock::SystemClock);
    (now - chrono::TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn sql(cluster: &Cluster, sql: &str) {
    read(cluster, sql);
}

fn read(cluster: &Cluster, sql: &str) -> String {
    let output = Command::new(cluster.binaries.join("psql"))
        .args(["--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
        .args([
            "--host",
            cluster.socket_folder(),
            "--username",
            SUPERUSER,
            "--command",
            sql,
            "postgres",
        ])
        .output()
        .expect("psql runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Sends a GET request and passes the chunks of the response body to `on_chunk`.
fn ask(address: &str, path: &str, token: &str, accept: &str, mut on_chunk: impl FnMut(&[u8])) {
    actix_web::rt::System::new().block_on(async {
        let request =
            reqwest::Client::new().get(format!("http://{address}{path}")).header("accept", accept);
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let response = request.send().await.expect("the server responds");
        assert!(response.status().is_success(), "{path}: {}", response.status());
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            on_chunk(&chunk.expect("the body is complete"));
        }
    });
}

fn text(address: &str, path: &str, token: &str, accept: &str) -> String {
    let mut bytes = Vec::new();
    ask(address, path, token, accept, |chunk| bytes.extend_from_slice(chunk));
    String::from_utf8(bytes).expect("UTF-8")
}

/// Saves an export. Returns the number of its lines.
fn save(address: &str, path: &str, token: &str, file: &Path) -> usize {
    let (mut output, mut lines) = (fs::File::create(file).expect("the file is created"), 0);
    ask(address, path, token, "application/x-ndjson", |chunk| {
        lines += chunk.split(|byte| *byte == b'\n').count() - 1;
        output.write_all(chunk).expect("the file is written");
    });
    lines
}
