//! SQL that generates a batch of orgs with all their rows.
//!
//! In the statements, `o.n` is the number of an org, `m.n` of a member within its org and `e.n` of
//! an event within its org.

use postern_audit_log::commitment::SALTS;
use postern_domain::plan::Plan;
use postern_migration::random_bytes;
use sea_orm::DbBackend;

use crate::backend::{timestamp_sql, uuid_bytes_sql, uuid_v7_sql};

/// Kind of a row in its id.
mod kind {
    pub const ORG: u8 = 1;
    pub const USER: u8 = 2;
    pub const MEMBER: u8 = 3;
    pub const EVENT: u8 = 4;
    pub const SESSION: u8 = 5;
    pub const IMPERSONATION: u8 = 6;
}

/// A batch of orgs.
pub struct OrgBatch {
    pub first: u32,
    pub last: u32,
    /// Members per org.
    pub members: u32,
    /// Events per org.
    pub events: u32,
    /// Creation time of the first org, in milliseconds since 1970.
    pub begun: i64,
    /// Milliseconds between consecutive rows.
    pub step: i64,
}

impl OrgBatch {
    /// The statements, in the order of foreign keys. `$1` is the hash of every user's password.
    pub fn statements(&self, backend: DbBackend) -> Vec<String> {
        let sql = Sql::new(self, backend);
        let mut statements = Vec::new();
        statements.extend(sql.orgs());
        statements.extend(sql.members());
        statements.extend(sql.sessions());
        statements.push(sql.impersonations());
        statements.extend(sql.usage());
        statements.push(sql.events());
        statements
    }
}

/// SQL expressions that several statements of a batch use.
struct Sql<'a> {
    batch: &'a OrgBatch,
    backend: DbBackend,
    /// WITH clause of the orgs.
    orgs: String,
    /// Creation time of an org, in milliseconds since 1970.
    created: String,
    created_at: String,
    org_id: String,
    /// Id of the org's first member, its owner.
    owner_id: String,
    session_id: String,
}

impl<'a> Sql<'a> {
    fn new(batch: &'a OrgBatch, backend: DbBackend) -> Self {
        let OrgBatch { first, last, members, events, begun, step } = batch;
        let created = format!("({begun} + o.n * {step} * {})", events + 1);
        Self {
            batch,
            backend,
            orgs: format!("WITH RECURSIVE {}", series("o", *first, *last)),
            created_at: timestamp_sql(backend, &created),
            org_id: uuid_v7_sql(backend, kind::ORG, &created, "o.n"),
            owner_id: uuid_v7_sql(backend, kind::USER, &created, &format!("(o.n * {members} + 1)")),
            session_id: uuid_v7_sql(backend, kind::SESSION, &created, "o.n"),
            created,
        }
    }

    fn orgs(&self) -> [String; 2] {
        let Self { orgs, org_id, created_at, .. } = self;
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
        ]
    }

    /// Users with credentials and memberships.
    fn members(&self) -> [String; 3] {
        let Self { batch, backend, orgs, created, created_at, org_id, .. } = self;
        let members_of = format!("{orgs}, {}", series("m", 1, batch.members));
        let number = format!("(o.n * {} + m.n)", batch.members);
        let user_id = uuid_v7_sql(*backend, kind::USER, created, &number);
        let member_id = uuid_v7_sql(*backend, kind::MEMBER, created, &number);
        let email = "'member-' || m.n || '@company-' || o.n || '.example'";
        [
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
        ]
    }

    /// An ended session of each owner, with a refresh token and a stored response.
    fn sessions(&self) -> [String; 3] {
        let Self { backend, orgs, created_at, org_id, owner_id, session_id, .. } = self;
        [
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
                uuid_bytes_sql(*backend, session_id)
            ),
            format!(
                "INSERT INTO idempotency_key
                   (org_id, user_id, key_hash, request_hash, response, stored_at) {orgs}
                 SELECT {org_id}, {owner_id}, {bytes}, {bytes}, {bytes}, {created_at} FROM o",
                bytes = uuid_bytes_sql(*backend, owner_id)
            ),
        ]
    }

    /// An ended impersonation of each owner.
    fn impersonations(&self) -> String {
        let Self { backend, orgs, created, created_at, org_id, owner_id, session_id, .. } = self;
        let id = uuid_v7_sql(*backend, kind::IMPERSONATION, created, "o.n");
        format!(
            "INSERT INTO impersonation
               (org_id, id, staff_user_id, staff_session_id, target_user_id, mode, reason,
                ticket_ref, started_at, expires_at, ended_at, end_cause) {orgs}
             SELECT {org_id}, {id},
                    (SELECT user_id FROM staff ORDER BY user_id LIMIT 1), {session_id},
                    {owner_id}, 'read_only', 'help with the first steps', 'SUP-' || o.n,
                    {created_at}, {created_at}, {created_at}, 'ended'
             FROM o"
        )
    }

    fn usage(&self) -> [String; 2] {
        let Self { orgs, created_at, org_id, .. } = self;
        [
            format!(
                "INSERT INTO usage_point (org_id, metric, at, value) {orgs}
                 SELECT {org_id}, 'projects', {created_at}, o.n % 3 FROM o"
            ),
            format!(
                "INSERT INTO feature_override (org_id, feature, enabled, reason) {orgs}
                 SELECT {org_id}, 'sso', true, 'agreed with sales' FROM o WHERE o.n % 2 = 1"
            ),
        ]
    }

    fn events(&self) -> String {
        let Self { batch, backend, orgs, created, org_id, .. } = self;
        let OrgBatch { members, events, step, .. } = batch;
        let occurred = format!("({created} + e.n * {step})");
        let id = uuid_v7_sql(*backend, kind::EVENT, &occurred, &format!("(o.n * {events} + e.n)"));
        let actor = format!("(o.n * {members} + 1 + e.n % {members})");
        format!(
            "INSERT INTO audit_event
               (id, occurred_at, org_id, org_slug, actor_type, actor_id, actor_email, action,
                outcome, target_type, target_label, summary, metadata, schema_version, salts)
             {orgs}, {}
             SELECT {id}, {}, {org_id}, 'company-' || o.n, 'user', {},
                    'member-' || (1 + e.n % {members}) || '@company-' || o.n || '.example',
                    CASE WHEN e.n % 2 = 0 THEN 'user.profile_updated'
                         ELSE 'settings.updated' END,
                    'succeeded', CASE WHEN e.n % 2 = 0 THEN 'user' ELSE 'settings' END,
                    'company-' || o.n,
                    CASE WHEN e.n % 2 = 0 THEN 'changed their profile'
                         ELSE 'changed the settings of company-' || o.n END, '{{}}',
                    1, {}
             FROM o, e WHERE {events} > 0",
            series("e", 1, (*events).max(1)),
            timestamp_sql(*backend, &occurred),
            uuid_v7_sql(*backend, kind::USER, created, &actor),
            random_bytes(*backend, SALTS),
        )
    }
}

/// SQL for a common table expression of the numbers `n` from `first` to `last`.
fn series(name: &str, first: u32, last: u32) -> String {
    format!(
        "{name}(n) AS (SELECT CAST({first} AS bigint)
                       UNION ALL SELECT n + 1 FROM {name} WHERE n < {last})"
    )
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
