//! `make bench-audit`: cost of audit writes, the transparency log and event pages, with as many
//! events as a large customer has in years.

mod audited_write;
mod log;
mod pages;

use std::path::Path;

use postern_tests::{Cluster, SERVER, SUPERUSER};

use crate::{psql, served::migrate};

/// Runs all measurements with `page_events` events for pages and `log_events` events in one log.
pub fn run(page_events: u64, log_events: u64) {
    println!("| measurement | result |\n| --- | --- |");
    measure_durable_writes();
    // The rest does not wait for the disk.
    let cluster = Cluster::start(
        "-c log_min_messages=log -c shared_buffers=1GB -c maintenance_work_mem=512MB \
         -c max_wal_size=8GB",
    );
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let bench = Bench::new(&cluster, folder.path());
    audited_write::measure(&bench, "no existing events");
    psql::run(
        &cluster,
        "SET session_replication_role = replica; DELETE FROM audit_queue; DELETE FROM audit_event",
    );
    log::measure(&bench, log_events);
    pages::measure(&bench, page_events);
    audited_write::measure(&bench, &format!("{page_events} existing events"));
}

/// Measures writes as in production: commits are flushed to disk.
fn measure_durable_writes() {
    let cluster = Cluster::start(
        "-c log_min_messages=log -c shared_buffers=1GB -c fsync=on -c synchronous_commit=on \
         -c full_page_writes=on",
    );
    let folder = tempfile::tempdir().expect("a temporary directory is created");
    let bench = Bench::new(&cluster, folder.path());
    audited_write::measure(&bench, "no existing events, commits flushed to disk");
}

/// A migrated database of a cluster, and the server's directory.
struct Bench<'a> {
    cluster: &'a Cluster,
    folder: &'a Path,
    database: String,
}

impl<'a> Bench<'a> {
    fn new(cluster: &'a Cluster, folder: &'a Path) -> Self {
        let bench = Self { cluster, folder, database: cluster.url(SERVER, "postgres") };
        bench.migrate();
        bench
    }

    fn migrate(&self) {
        migrate(self.folder, &self.database, &self.cluster.url(SUPERUSER, "postgres"));
    }

    /// Creates orgs with the owner and the viewer of the demo.
    fn create_orgs(&self, prefix: &str, count: u32) -> Vec<Org> {
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
        psql::run(self.cluster, &insert);
        let select = format!(
            "SELECT o.slug, o.id, max(m.id::text) FILTER (WHERE m.role = 'owner'),
               max(m.id::text) FILTER (WHERE m.role = 'viewer')
             FROM organization o JOIN membership m ON m.org_id = o.id
             WHERE o.slug LIKE '{prefix}-%' GROUP BY o.id ORDER BY o.id"
        );
        let rows = psql::run(self.cluster, &select);
        let org = |line: &str| {
            let columns: Vec<String> = line.split('|').map(str::to_owned).collect();
            let [slug, id, owner, viewer] = columns.try_into().expect("the row has four columns");
            Org { slug, id, owner, viewer }
        };
        rows.lines().map(org).collect()
    }
}

struct Org {
    slug: String,
    /// UUID of the org.
    id: String,
    /// UUID of the owner's membership.
    owner: String,
    /// UUID of the viewer's membership.
    viewer: String,
}
