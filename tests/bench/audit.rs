//! `make bench-audit`: what the record costs, and how it is to read, with as many events as a large customer has in years.

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

/// `for_pages`: how many events there are to be for pages; `for_log`: how many for the log.
pub fn run(for_pages: u64, for_log: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    println!("| what | figure |\n| --- | --- |");
    // As it runs for customers: what is committed is on the disk.
    let durable = Cluster::start(
        "-c log_min_messages=log -c shared_buffers=1GB -c fsync=on -c synchronous_commit=on -c full_page_writes=on",
    );
    let of_it = tempfile::tempdir().expect("a folder");
    let database = durable.url(SERVER, "postgres");
    migrate(of_it.path(), &database, &durable.url(SUPERUSER, "postgres"));
    audited_write(&durable, of_it.path(), &database, "no events there, durable");
    drop(durable);
    // The rest with a database that waits for no disk.
    let cluster = Cluster::start(
        "-c log_min_messages=log -c shared_buffers=1GB -c maintenance_work_mem=512MB -c max_wal_size=8GB",
    );
    let database = cluster.url(SERVER, "postgres");
    migrate(folder.path(), &database, &cluster.url(SUPERUSER, "postgres"));
    audited_write(&cluster, folder.path(), &database, "no events there");
    sql(
        &cluster,
        "SET session_replication_role = replica; DELETE FROM audit_queue; DELETE FROM audit_event",
    );
    the_log(&cluster, folder.path(), &database, for_log);
    pages(&cluster, folder.path(), &database, for_pages);
    audited_write(&cluster, folder.path(), &database, &format!("{for_pages} events there"));
}

/// An audited write beside the same statements without those that write the event. Each connection has an org of its own: those who change roles in
/// one org wait for each other, and what is measured then is the waiting.
fn audited_write(cluster: &Cluster, folder: &Path, database: &str, there: &str) {
    let server = Served::start(folder, database, true);
    let orgs =
        orgs(cluster, &format!("writing-{}", there.split(' ').next().unwrap_or_default()), 8);
    let owner = server.sign_in("owner@acme.example");
    let first = &orgs[0];
    let members = server.get(&owner, &format!("/v1/orgs/{}/members", first[0]));
    let viewer = members["data"]
        .as_array()
        .expect("members")
        .iter()
        .find(|one| one["role"] == "viewer")
        .expect("is there");
    let path = format!("/v1/orgs/{}/members/{}", first[0], viewer["id"].as_str().expect("an id"));
    let change = http::Request::new(
        &server.address,
        "PATCH",
        &path,
        &owner,
        Some(json!({ "role": "member" })),
    );
    let with = statements::of(cluster, folder, || change.once());
    drop(server);
    let mut text = fs::read_to_string(&with).expect("a script");
    for (nth, cast) in [(0, ""), (1, "::uuid[]"), (2, "::uuid[]"), (3, "::uuid[]")] {
        let all = orgs.iter().map(|org| format!("'{}'", org[nth])).collect::<Vec<_>>().join(", ");
        text = text.replace(
            &format!("'{}'", first[nth]),
            &format!("((ARRAY[{all}]{cast})[1 + :client_id])"),
        );
    }
    fs::write(&with, &text).expect("is written");
    let without = folder.join("without.sql");
    let left: Vec<&str> = text.lines().filter(|line| !line.contains("\"audit_event\"")).collect();
    assert_eq!(left.len() + 1, text.lines().count(), "the event is one statement: {text}");
    fs::write(&without, left.join("\n")).expect("is written");
    for connections in [4, 8] {
        let (mut rates, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let unaudited =
                statements::pgbench(cluster, &without, connections, Duration::from_secs(4));
            let audited = statements::pgbench(cluster, &with, connections, Duration::from_secs(4));
            rates.push(audited);
            ratios.push(unaudited / audited);
        }
        println!(
            "| audited role changes a second, {connections} connections, {there}, by pgbench | {} |",
            spread(rates, 0)
        );
        println!(
            "| the same, as a multiple of the time without its event | {} |",
            spread(ratios, 2)
        );
    }
}

/// Makes orgs with an owner and a viewer, who are those of the demo: for each its name, its id, and theirs in it.
fn orgs(cluster: &Cluster, prefix: &str, count: u32) -> Vec<Vec<String>> {
    let made = format!(
        "SET session_replication_role = replica;
         INSERT INTO organization (id, slug, name, plan, max_users, max_projects, created_at)
         SELECT gen_random_uuid(), '{prefix}-' || n, 'Org ' || n, 'enterprise', 100, 100, now() FROM generate_series(1, {count}) AS n;
         INSERT INTO membership (org_id, id, user_id, role, created_at)
         SELECT o.id, gen_random_uuid(), u.id, split_part(u.email, '@', 1), now() FROM organization o, \"user\" u
         WHERE o.slug LIKE '{prefix}-%' AND u.email IN ('owner@acme.example', 'viewer@acme.example')"
    );
    sql(cluster, &made);
    let found = format!(
        "SELECT o.slug, o.id, max(m.id::text) FILTER (WHERE m.role = 'owner'), max(m.id::text) FILTER (WHERE m.role = 'viewer')
         FROM organization o JOIN membership m ON m.org_id = o.id WHERE o.slug LIKE '{prefix}-%' GROUP BY o.id ORDER BY o.id"
    );
    read(cluster, &found).lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

/// One org with a long log: pumping it, proving, exporting, verifying.
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
    assert!(demo.expect("runs").success(), "the demo is filled");
    sql(cluster, "VACUUM ANALYZE");
    let server = Served::start(folder, database, true);
    let begun = Instant::now();
    let waiting = |server: &Served| {
        let figures = text(&server.address, "/metrics", "", "*/*");
        figures
            .lines()
            .find_map(|line| line.strip_prefix("postern_audit_queue_length ")?.parse::<f64>().ok())
            .expect("a figure")
    };
    let before = waiting(&server);
    while waiting(&server) > 0.0 {
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("| events pumped a second | {:.0} |", before / begun.elapsed().as_secs_f64());
    sql(cluster, "VACUUM ANALYZE");
    let owner = server.sign_in("member-1@company-1.example");
    let page = server.get(&owner, "/v1/orgs/company-1/audit-events?limit=100");
    let ids: Vec<&str> = page["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    let mut times = Vec::new();
    for id in ids {
        let asked = http::Request::new(
            &server.address,
            "GET",
            &format!("/v1/orgs/company-1/audit-log/proof?event={id}"),
            &owner,
            None,
        );
        let begun = Instant::now();
        asked.once();
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    println!("| a proof, ms | {} |", spread(times, 1));
    let file = folder.join("log.ndjson");
    let before = server.memory("VmRSS");
    let begun = Instant::now();
    let lines = save(&server.address, "/v1/orgs/company-1/audit-events", &owner, &file);
    let took = begun.elapsed().as_secs_f64();
    let size = fs::metadata(&file).expect("is there").len() >> 20;
    println!("| export of {events} events: seconds, MiB, lines | {took:.0}, {size}, {lines} |");
    println!(
        "| resident before it, and the peak, MiB | {before:.0}, {:.0} |",
        server.memory("VmHWM")
    );
    fs::write(
        folder.join("keys"),
        text(&server.address, "/v1/orgs/company-1/audit-log/keys", &owner, "*/*"),
    )
    .expect("is written");
    let mut seconds = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        let verify = Command::new(binary())
            .args(["audit", "verify", "log.ndjson", "--key", "keys"])
            .current_dir(folder)
            .output()
            .expect("runs");
        assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
        seconds.push(begun.elapsed().as_secs_f64());
    }
    println!("| verifying {events} events, s | {} |", spread(seconds, 1));
}

/// Filtered pages of an org that has half of all events, at any depth.
fn pages(cluster: &Cluster, folder: &Path, database: &str, events: u64) {
    let orgs = orgs(cluster, "many", ORGS);
    // A month each has its part, as if the server had run all the time.
    sql(
        cluster,
        "DO $$ DECLARE month timestamp; edges uuid[]; BEGIN
           FOR back IN 1..12 LOOP
             month := date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => back);
             edges := ARRAY(SELECT (lpad(to_hex((extract(epoch FROM edge) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
                            FROM unnest(ARRAY[month, month + interval '1 month']) AS edge);
             EXECUTE format('CREATE TABLE %I PARTITION OF audit_event FOR VALUES FROM (%L) TO (%L)',
                            'audit_event_' || to_char(month, 'YYYY_MM'), edges[1], edges[2]);
           END LOOP;
         END $$",
    );
    migrate(folder, database, &cluster.url(SUPERUSER, "postgres"));
    // Made by the database, and their indexes after them: nobody would wait otherwise.
    let definitions = "SELECT string_agg(format('DROP INDEX %I', c.relname), ';'), string_agg(replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON '), ';') \
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'audit_event'::regclass AND NOT i.indisprimary";
    let indexes = read(cluster, definitions);
    let (dropped, made) = indexes.trim().split_once('|').expect("two");
    sql(cluster, dropped);
    let some = events / u64::from(ORGS * 2);
    let fill = format!(
        "SET session_replication_role = replica; SET synchronous_commit = off;
         INSERT INTO audit_event (id, occurred_at, org_id, org_slug, actor_type, actor_id, actor_email, action, outcome, target_type, target_id,
           target_label, summary, metadata, ip, user_agent, request_id, schema_version, salts, ticket_ref, impersonation_id, on_behalf_of_id,
           on_behalf_of_email)
         SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid,
           at, org.id, org.slug, 'user', (lpad(to_hex(mixed % 50), 12, '0') || '70008' || lpad(to_hex(org.nth), 15, '0'))::uuid,
           'member-' || mixed % 50 || '@' || org.slug || '.example',
           (ARRAY['user.role_changed', 'settings.updated', 'org.updated', 'permission.denied', 'auth.logged_out', 'user.removed'])
             [1 + CASE WHEN mixed % 1000 = 0 THEN 5 ELSE mixed % 5 END],
           CASE WHEN mixed % 5 = 3 THEN 'denied' ELSE 'succeeded' END, 'member', 'mem_' || mixed % 5000,
           'member-' || mixed % 5000 || '@' || org.slug || '.example',
           'Member ' || mixed % 50 || ' changed something of member ' || mixed % 5000, '{{\"role\": {{\"old\": \"viewer\", \"new\": \"member\"}}}}',
           '203.0.' || mixed % 100 || '.' || mixed % 250, 'Mozilla/5.0 (X11; Linux x86_64)', md5(n::text), 1, decode(repeat('ab', 112), 'hex'),
           CASE WHEN target THEN 'SUP-' || mixed % 10000 END,
           CASE WHEN target THEN (lpad(to_hex(mixed % 10000), 12, '0') || '70018' || lpad(to_hex(org.nth), 15, '0'))::uuid END,
           CASE WHEN target THEN (lpad(to_hex(mixed % 500), 12, '0') || '70008' || lpad(to_hex(org.nth), 15, '0'))::uuid END,
           CASE WHEN target THEN 'member-' || mixed % 500 || '@' || org.slug || '.example' END
         FROM generate_series(1, {events}) AS n
         CROSS JOIN LATERAL (SELECT (n::bigint * 2654435761 % 4294967296) / 64 AS mixed) AS mixing
         CROSS JOIN LATERAL (SELECT mixed % 50 = 7 AS target) AS impersonation
         JOIN LATERAL (SELECT CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + (n / 2) % ({ORGS} - 1) END AS nth) AS which ON true
         JOIN (SELECT id, slug, row_number() OVER (ORDER BY id) AS nth FROM organization WHERE slug LIKE 'many-%') AS org USING (nth)
         CROSS JOIN LATERAL (SELECT now() - interval '365 days' + n * (interval '365 days' / {events}) AS at) AS happened;
         INSERT INTO audit_leaf (org_id, leaf_index, event_id, hash)
         SELECT org_id, row_number() OVER (PARTITION BY org_id ORDER BY id) - 1, id, decode(repeat('ab', 32), 'hex')
         FROM audit_event WHERE org_slug LIKE 'many-%'"
    );
    sql(cluster, &fill);
    sql(cluster, made);
    sql(cluster, "VACUUM ANALYZE");
    let largest = &orgs[0][0];
    let server = Served::start(folder, database, true);
    let owner = server.sign_in("owner@acme.example");
    println!(
        "| events there are, of which {largest} has half | {events}, {some} each of the others |"
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
        "target=nobody",
        "ip=203.0.7.7",
        "ip=203.0.113.1",
        "ticket_ref=SUP-7",
        "on_behalf_of=member-57@{org}.example",
        "q=something%20of%20member%2077",
        "action=settings.updated&actor=member-11@{org}.example",
        "from={early}&to={late}&outcome=denied",
    ] {
        let asked = filter
            .replace("{org}", largest)
            .replace("{early}", &ago(200))
            .replace("{late}", &ago(199));
        let mut times = Vec::new();
        // From the newest to somewhere deep, and at depths all over the year.
        for days in [0, 1, 30, 90, 180, 270, 330, 360] {
            let to = if asked.contains("to=") || days == 0 {
                String::new()
            } else {
                format!("&to={}", ago(days))
            };
            let mut cursor = String::new();
            for _ in 0..5 {
                let path = format!("/v1/orgs/{largest}/audit-events?{asked}{to}{cursor}");
                let request = http::Request::new(&server.address, "GET", &path, &owner, None);
                let begun = Instant::now();
                let page = request.answer();
                times.push(begun.elapsed().as_secs_f64() * 1000.0);
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
        }
        println!(
            "| a page with `{}`, ms | {} |",
            if filter.is_empty() { "nothing" } else { filter },
            spread(times, 1)
        );
    }
}

/// So many days before now, as a query takes it.
fn ago(days: i64) -> String {
    let now = postern_domain::clock::Clock::now(&postern_domain::clock::SystemClock);
    (now - chrono::TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn sql(cluster: &Cluster, sql: &str) {
    read(cluster, sql);
}

fn read(cluster: &Cluster, sql: &str) -> String {
    let done = Command::new(cluster.binaries.join("psql"))
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
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

/// Asks for something, and gives it to `each` chunk by chunk.
fn ask(address: &str, path: &str, token: &str, accept: &str, mut each: impl FnMut(&[u8])) {
    actix_web::rt::System::new().block_on(async {
        let asked =
            reqwest::Client::new().get(format!("http://{address}{path}")).header("accept", accept);
        let asked = if token.is_empty() { asked } else { asked.bearer_auth(token) };
        let answer = asked.send().await.expect("answers");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            each(&chunk.expect("arrives"));
        }
    });
}

fn text(address: &str, path: &str, token: &str, accept: &str) -> String {
    let mut bytes = Vec::new();
    ask(address, path, token, accept, |chunk| bytes.extend_from_slice(chunk));
    String::from_utf8(bytes).expect("text")
}

/// Saves an export, and counts its lines.
fn save(address: &str, path: &str, token: &str, file: &Path) -> usize {
    let (mut into, mut lines) = (fs::File::create(file).expect("a file"), 0);
    ask(address, path, token, "application/x-ndjson", |chunk| {
        lines += chunk.split(|byte| *byte == b'\n').count() - 1;
        into.write_all(chunk).expect("is written");
    });
    lines
}
