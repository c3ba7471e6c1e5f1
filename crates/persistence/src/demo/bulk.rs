//! Bulk demo data, to test a full database. The database generates the rows, some hundred orgs per
//! statement, with ids and times as if the orgs had been created one after another over a year.

use std::sync::Arc;

use chrono::{TimeDelta, Timelike};
use postern_domain::{
    clock::RequestContext, credential::PasswordHash, entry::SALTS, feature::Plan,
};
use postern_migration::random_bytes;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Value};
use secrecy::ExposeSecret;

use super::{DemoError, is_marked};
use crate::{
    backend::{timestamp_sql, uuid_bytes_sql, uuid_v7_sql},
    entity::organization,
    event_writer,
    store::{Store, statement},
    tx::{Mode, Tx},
};

/// Amount of bulk data.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub orgs: u32,
    /// Members per org, at least 1.
    pub members: u32,
    /// Approximate total of all orgs, which have equal shares.
    pub events: u32,
}

/// Approximate number of rows per statement.
const ROWS_AT_ONCE: u32 = 10_000;

/// Adds `company-1` and the following orgs to the demo database, and fails if they exist.
/// `progress` receives the number of orgs added so far.
pub async fn fill(
    store: &Arc<Store>,
    size: Size,
    hash: impl Future<Output = PasswordHash>,
    context: &RequestContext,
    progress: impl Fn(u32),
) -> Result<(), DemoError> {
    if !is_marked(&Tx::begin(store, Mode::Read).await?).await? {
        return Err(DemoError::NotADemo);
    }
    let first = organization::Entity::find().filter(organization::Column::Slug.eq("company-1"));
    if first.one(&Tx::begin(store, Mode::Read).await?).await?.is_some() {
        return Err(DemoError::FilledAlready);
    }
    let hash = hash.await;
    let events_each = size.events.div_ceil(size.orgs.max(1));
    let at_once = (ROWS_AT_ONCE / events_each.max(size.members).max(1)).clamp(1, 1_000);
    let begun = (context.now - TimeDelta::days(365))
        .with_nanosecond(0)
        .unwrap_or(context.now)
        .timestamp_millis();
    // One year divided among all orgs and their events.
    let step = TimeDelta::days(365).num_milliseconds()
        / i64::from(size.orgs.max(1))
        / i64::from(events_each.max(1) + 1);
    let mut first = 1;
    while first <= size.orgs {
        let last = size.orgs.min(first + at_once - 1);
        let tx = Tx::begin(store, Mode::Write).await?;
        let batch =
            OrgStats { first, last, members: size.members, events: events_each, begun, step };
        for sql in batch.statements(&tx) {
            let values = if sql.contains("$1") {
                vec![Value::from(hash.expose_secret())]
            } else {
                Vec::new()
            };
            tx.execute_raw(statement(tx.get_database_backend(), &sql, values)).await?;
        }
        for n in first..=last {
            let org = organization::Entity::find()
                .filter(organization::Column::Slug.eq(format!("company-{n}")))
                .one(&tx)
                .await?;
            event_writer::adopt(&tx, org.ok_or(DemoError::NotADemo)?.id).await?;
        }
        tx.commit().await?;
        progress(last);
        first = last + 1;
    }
    Ok(())
}

/// SQL for a value that depends on the org's plan. Plans alternate.
fn by_plan(of: impl Fn(Plan) -> String) -> String {
    format!(
        "CASE o.n % 3 WHEN 0 THEN {} WHEN 1 THEN {} ELSE {} END",
        of(Plan::Starter),
        of(Plan::Growth),
        of(Plan::Enterprise)
    )
}

/// One batch of orgs.
struct OrgStats {
    first: u32,
    last: u32,
    members: u32,
    events: u32,
    /// Creation time of the first org, in milliseconds since 1970.
    begun: i64,
    /// Milliseconds between consecutive rows.
    step: i64,
}

impl OrgStats {
    fn statements(&self, tx: &Tx) -> [String; 12] {
        let Self { first, last, members, events, begun, step } = self;
        let backend = tx.get_database_backend();
        let series = |name: &str, from: u32, to: u32| {
            format!(
                "{name}(n) AS (SELECT CAST({from} AS bigint)
                               UNION ALL SELECT n + 1 FROM {name} WHERE n < {to})"
            )
        };
        let orgs = format!("WITH RECURSIVE {}", series("o", *first, *last));
        let members_of = format!("{orgs}, {}", series("m", 1, *members));
        let created = format!("({begun} + o.n * {step} * {})", events + 1);
        let (org_id, created_at) =
            (uuid_v7_sql(backend, 1, &created, "o.n"), timestamp_sql(backend, &created));
        let member = format!("(o.n * {members} + m.n)");
        let (user_id, member_id) = (
            uuid_v7_sql(backend, 2, &created, &member),
            uuid_v7_sql(backend, 3, &created, &member),
        );
        let email = "'member-' || m.n || '@company-' || o.n || '.example'";
        let occurred = format!("({created} + e.n * {step})");
        let event_id = uuid_v7_sql(backend, 4, &occurred, &format!("(o.n * {events} + e.n)"));
        let (session_id, impersonation_id) =
            (uuid_v7_sql(backend, 5, &created, "o.n"), uuid_v7_sql(backend, 6, &created, "o.n"));
        let owner_id = uuid_v7_sql(backend, 2, &created, &format!("(o.n * {members} + 1)"));
        let actor = format!("(o.n * {members} + 1 + e.n % {})", *members);
        [
            format!(
                "INSERT INTO organization
                   (id, slug, name, plan, max_users, max_projects, created_at) {orgs}
                 SELECT {org_id}, 'company-' || o.n, 'Company ' || o.n,
                        {}, {}, {}, {created_at} FROM o",
                by_plan(|plan| format!("'{}'", plan.name())),
                by_plan(|plan| plan.limits().max_users.to_string()),
                by_plan(|plan| plan.limits().max_projects.to_string()),
            ),
            format!("INSERT INTO org_setting (org_id, version) {orgs} SELECT {org_id}, 1 FROM o"),
            format!(
                "INSERT INTO \"user\" (id, email, name, created_at) {members_of}
                 SELECT {user_id}, {email}, 'Member ' || m.n || ' of ' || o.n, {created_at}
                 FROM o, m"
            ),
            format!(
                "INSERT INTO credential (user_id, password_hash, changed_at) {members_of}
                 SELECT {user_id}, $1, {created_at} FROM o, m"
            ),
            format!(
                "INSERT INTO membership (org_id, id, user_id, role, created_at) {members_of}
                 SELECT {org_id}, {member_id}, {user_id},
                        CASE m.n WHEN 1 THEN 'owner' WHEN 2 THEN 'admin' WHEN 3 THEN 'viewer'
                                 ELSE 'member' END, {created_at}
                 FROM o, m"
            ),
            format!(
                "INSERT INTO session
                   (id, user_id, created_at, last_used_at, expires_at, ended_at) {orgs}
                 SELECT {session_id}, {owner_id}, {created_at}, {created_at}, {created_at},
                        {created_at}
                 FROM o"
            ),
            format!(
                "INSERT INTO refresh_token (hash, session_id, issued_at) {orgs}
                 SELECT {}, {session_id}, {created_at} FROM o",
                uuid_bytes_sql(backend, &session_id)
            ),
            format!(
                "INSERT INTO idempotency_key
                   (org_id, user_id, key_hash, request_hash, response, stored_at) {orgs}
                 SELECT {org_id}, {owner_id}, {bytes}, {bytes}, {bytes}, {created_at} FROM o",
                bytes = uuid_bytes_sql(backend, &owner_id)
            ),
            format!(
                "INSERT INTO impersonation
                   (org_id, id, staff_user_id, staff_session_id, target_user_id, mode, reason,
                    ticket_ref, started_at, expires_at, ended_at) {orgs}
                 SELECT {org_id}, {impersonation_id},
                        (SELECT user_id FROM staff ORDER BY user_id LIMIT 1), {session_id},
                        {owner_id}, 'read_only', 'help with the first steps', 'SUP-' || o.n,
                        {created_at}, {created_at}, {created_at}
                 FROM o"
            ),
            format!(
                "INSERT INTO usage_point (org_id, metric, at, value) {orgs}
                 SELECT {org_id}, 'projects', {created_at}, o.n % 3 FROM o"
            ),
            format!(
                "INSERT INTO feature_override (org_id, feature, enabled, reason) {orgs}
                 SELECT {org_id}, 'sso', true, 'agreed with sales' FROM o WHERE o.n % 2 = 1"
            ),
            format!(
                "INSERT INTO audit_event
                   (id, occurred_at, org_id, org_slug, actor_type, actor_id, actor_email, action,
                    outcome, target_type, target_label, summary, metadata, schema_version, salts)
                 {orgs}, {}
                 SELECT {event_id}, {}, {org_id}, 'company-' || o.n, 'user', {},
                        'member-' || (1 + e.n % {}) || '@company-' || o.n || '.example',
                        CASE WHEN e.n = 1 THEN 'org.created'
                             WHEN e.n % 3 = 0 THEN 'user.role_changed'
                             WHEN e.n % 3 = 1 THEN 'settings.updated' ELSE 'org.updated' END,
                        'succeeded', 'org', 'company-' || o.n, 'made change number ' || e.n, '{{}}',
                        1, {}
                 FROM o, e WHERE {events} > 0",
                series("e", 1, (*events).max(1)),
                timestamp_sql(backend, &occurred),
                uuid_v7_sql(backend, 2, &created, &actor),
                *members,
                random_bytes(backend, SALTS),
            ),
        ]
    }
}
