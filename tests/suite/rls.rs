//! Row-level security in PostgreSQL, with raw SQL as the server's login and with requests. Tests
//! for drift are in `rls_drift.rs`.

use postern_tests::{App, SERVER, on_postgres, tests_on};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::rls_drift;

// Requests, directly and through PgBouncer.
on_postgres![requests_run_in_their_tenant_context, schemas_named_after_roles_are_ignored];

// Raw SQL as the server's login, over a separate connection.
mod login {
    use super::{
        audit_events_cannot_be_changed_by_either_role,
        failures_forged_by_a_tenant_limit_no_sign_in, least_privilege,
        no_access_without_tenant_context, tenant_cannot_write_to_another_org,
        tenant_reads_only_rows_of_its_org, tests_on,
    };

    tests_on! { postgres, Postgres:
        tenant_reads_only_rows_of_its_org,
        no_access_without_tenant_context,
        tenant_cannot_write_to_another_org,
        failures_forged_by_a_tenant_limit_no_sign_in,
        least_privilege,
        audit_events_cannot_be_changed_by_either_role
    }
}

/// Begins a transaction with this role and, unless `org` is none, its tenant context.
async fn begin(login: &DatabaseConnection, role: &str, org: Option<&str>) {
    login.execute_unprepared("ROLLBACK").await.expect("the transaction ends");
    login
        .execute_unprepared(&format!("BEGIN; SET LOCAL ROLE {role}"))
        .await
        .expect("the transaction begins");
    if let Some(org) = org {
        login
            .execute_unprepared(&format!("SET LOCAL postern.org_id = '{org}'"))
            .await
            .expect("the tenant context is set");
    }
}

async fn count(db: &DatabaseConnection, sql: &str) -> Result<i64, DbErr> {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    row.expect("the count fits the type").try_get_by_index(0)
}

/// Tables with rows of an org and the column of its id. Read from the catalog, so that new tables
/// are included.
async fn tables_of_tenants(t: &App) -> Vec<(String, &'static str)> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
               AND a.attname = 'org_id' WHERE c.relkind IN ('r', 'p') AND c.relnamespace = \
               'public'::regnamespace AND NOT c.relispartition ORDER BY 1";
    let mut tables: Vec<_> =
        t.db.texts(sql).await.into_iter().map(|table| (table, "org_id")).collect();
    assert!(tables.len() >= 7, "the catalog has at least 7 tables with an org_id: {tables:?}");
    tables.push(("organization".to_owned(), "id"));
    tables
}

/// Adds rows of every org to every table.
async fn given_rows_everywhere(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    for org in ["acme", "globex", "initech"] {
        t.impersonate(&support, &format!("viewer@{org}.example"), org, "read_only").await;
        t.sign_in(&format!("owner@{org}.example"))
            .await
            .patch(&format!("/v1/orgs/{org}"), serde_json::json!({ "name": "Renamed" }))
            .await;
    }
    let sql = "INSERT INTO feature_override SELECT id, 'audit_stream', true, 'for the test', NULL \
               FROM organization ON CONFLICT DO NOTHING; INSERT INTO idempotency_key SELECT o.id, \
               u.id, '\\x00', '\\x00', '\\x00', now() FROM organization o, (SELECT id FROM \
               \"user\" LIMIT 1) u";
    t.run_sql(sql).await;
    t.sequence().await;
    t.run_sql(
        "INSERT INTO audit_node SELECT id, 1, 0, '' FROM organization; INSERT INTO retention \
         SELECT id, 400, NULL FROM organization",
    )
    .await;
    // One pending event per org.
    for org in ["acme", "globex", "initech"] {
        t.sign_in(&format!("owner@{org}.example"))
            .await
            .patch(&format!("/v1/orgs/{org}"), serde_json::json!({ "name": "Again" }))
            .await;
    }
}

/// True if the tenant role has the SELECT privilege on a column of the table.
async fn is_read_by_tenants(t: &App, table: &str) -> bool {
    t.db.count(&format!(
        "SELECT has_any_column_privilege('postern_tenant', 'public.{table}', 'SELECT')::int::bigint"
    ))
    .await
        == 1
}

async fn tenant_reads_only_rows_of_its_org(t: &App) {
    given_rows_everywhere(t).await;
    let login = t.db.sign_in_as(SERVER).await;
    for org in t.db.texts("SELECT id::text FROM organization").await {
        for (table, column) in tables_of_tenants(t).await {
            let org_rows =
                t.db.count(&format!("SELECT count(*) FROM {table} WHERE {column} = '{org}'")).await;
            assert!(org_rows > 0, "{table} has rows of {org}");
            begin(&login, "postern_tenant", Some(&org)).await;
            let visible = count(&login, &format!("SELECT count(*) FROM {table}")).await;
            if is_read_by_tenants(t, &table).await {
                assert_eq!(
                    visible,
                    Ok(org_rows),
                    "all rows of the org are visible in {table}, and no others"
                );
            } else {
                assert!(
                    visible.expect_err(&table).to_string().contains("permission denied"),
                    "tenants cannot read {table}"
                );
            }
        }
        // Visible users: members, and staff and targets of impersonations.
        let visible_users = "SELECT count(DISTINCT p) FROM (SELECT user_id AS p FROM membership \
            WHERE org_id = 'ORG' UNION SELECT staff_user_id FROM impersonation WHERE org_id = \
            'ORG' UNION SELECT target_user_id FROM impersonation WHERE org_id = 'ORG') AS users";
        let visible_users = t.db.count(&visible_users.replace("ORG", &org)).await;
        begin(&login, "postern_tenant", Some(&org)).await;
        assert_eq!(
            count(&login, "SELECT count(id) FROM \"user\"").await,
            Ok(visible_users),
            "only users connected to the org are visible"
        );
    }
    login.close().await.expect("the connection closes");
}

async fn no_access_without_tenant_context(t: &App) {
    given_rows_everywhere(t).await;
    let login = t.db.sign_in_as(SERVER).await;
    for (table, column) in tables_of_tenants(t).await {
        for context in [None, Some("")] {
            begin(&login, "postern_tenant", context).await;
            let visible = count(&login, &format!("SELECT count(*) FROM {table}")).await;
            assert!(
                visible == Ok(0) || !is_read_by_tenants(t, &table).await,
                "{table} shows no rows: {visible:?}"
            );
        }
        // The login itself has no privileges.
        login.execute_unprepared("ROLLBACK").await.expect("the transaction ends");
        let refused = count(&login, &format!("SELECT count({column}) FROM {table}"))
            .await
            .expect_err(&table)
            .to_string();
        assert!(refused.contains("permission denied"), "the login cannot read {table}: {refused}");
    }
    let acme = t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await.to_string();
    let member =
        t.db.uuid(&format!("SELECT user_id FROM membership WHERE org_id = '{acme}' LIMIT 1")).await;
    let answer =
        format!("INSERT INTO idempotency_key VALUES ('{acme}', '{member}', '', '', '', now())");
    for attempt in [event(&format!("'{acme}'")), event("NULL"), answer] {
        begin(&login, "postern_tenant", None).await;
        let refused = login.execute_unprepared(&attempt).await.expect_err(&attempt).to_string();
        assert!(refused.contains("row-level security"), "{attempt} fails: {refused}");
    }
    begin(&login, "postern_tenant", None).await;
    assert_eq!(
        count(&login, "SELECT count(id) FROM \"user\"").await,
        Ok(0),
        "no users are visible"
    );
    login.close().await.expect("the connection closes");
}

/// An event as raw SQL, in the log of `org`.
fn event(org: &str) -> String {
    format!(
        "INSERT INTO audit_event (id, occurred_at, org_id, actor_type, action, outcome, \
         target_type, target_label, summary, metadata, schema_version, salts) VALUES \
         (gen_random_uuid(), now(), {org}, 'system', 'org.updated', 'succeeded', 'org', 'x', \
         'forged', '{{}}', 1, decode(repeat('00', 112), 'hex'))"
    )
}

async fn tenant_cannot_write_to_another_org(t: &App) {
    given_rows_everywhere(t).await;
    let id = async |slug: &str| {
        t.db.uuid(&format!("SELECT id FROM organization WHERE slug = '{slug}'")).await.to_string()
    };
    let (acme, globex) = (id("acme").await, id("globex").await);
    let login = t.db.sign_in_as(SERVER).await;
    // Rows of another org are not visible, so no row changes.
    for attempt in [
        format!("UPDATE membership SET role = 'viewer' WHERE org_id = '{globex}'"),
        format!("DELETE FROM membership WHERE org_id = '{globex}'"),
        format!("UPDATE organization SET name = 'Taken' WHERE id = '{globex}'"),
        format!("UPDATE org_setting SET color = NULL WHERE org_id = '{globex}'"),
        format!("UPDATE impersonation SET ended_at = now() WHERE org_id = '{globex}'"),
        format!("UPDATE idempotency_key SET answer = '' WHERE org_id = '{globex}'"),
    ] {
        begin(&login, "postern_tenant", Some(&acme)).await;
        assert_eq!(
            login.execute_unprepared(&attempt).await.expect("the statement runs").rows_affected(),
            0,
            "{attempt} changes no rows"
        );
    }
    // Rows of another org cannot be inserted.
    let queued = format!("INSERT INTO audit_queue VALUES ('{globex}', gen_random_uuid(), '', '')");
    let answer = format!(
        "INSERT INTO idempotency_key SELECT '{globex}', user_id, '\\x01', '', '', now() FROM \
         membership LIMIT 1"
    );
    let moved = format!("UPDATE idempotency_key SET org_id = '{globex}'");
    for attempt in [event(&format!("'{globex}'")), event("NULL"), queued, answer, moved] {
        begin(&login, "postern_tenant", Some(&acme)).await;
        let refused = login.execute_unprepared(&attempt).await.expect_err(&attempt).to_string();
        assert!(refused.contains("row-level security"), "{attempt} fails: {refused}");
    }
    // Allowed writes succeed.
    begin(&login, "postern_tenant", Some(&acme)).await;
    login
        .execute_unprepared(&event(&format!("'{acme}'")))
        .await
        .expect("a tenant can write to its own log");
    login
        .execute_unprepared("UPDATE membership SET role = 'viewer' WHERE role = 'member'")
        .await
        .expect("a tenant can change its own members");
    login.close().await.expect("the connection closes");
}

/// A tenant can write any event to its own log. The sign-in rate limit counts events of the
/// platform log only.
async fn failures_forged_by_a_tenant_limit_no_sign_in(t: &App) {
    let acme = t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await.to_string();
    t.skip_invariants();
    let login = t.db.sign_in_as(SERVER).await;
    begin(&login, "postern_tenant", Some(&acme)).await;
    let forged = "INSERT INTO audit_event (id, occurred_at, org_id, actor_type, actor_email, \
                  action, outcome, target_type, target_label, summary, metadata, schema_version, \
                  salts) SELECT gen_random_uuid(), '2026-11-20T08:59:00Z', 'ORG', 'user', \
                  'admin@globex.example', 'auth.login_failed', 'failed', 'user', 'x', 'forged', \
                  '{}', 1, decode(repeat('00', 112), 'hex') FROM generate_series(1, 50)";
    login
        .execute_unprepared(&forged.replace("ORG", &acme))
        .await
        .expect("a tenant can write to its own log");
    login.execute_unprepared("COMMIT").await.expect("the transaction ends");
    login.close().await.expect("the connection closes");
    t.sign_in("admin@globex.example").await;
}

async fn least_privilege(t: &App) {
    let acme = t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await.to_string();
    let login = t.db.sign_in_as(SERVER).await;
    let denied_to_tenants = [
        "SELECT * FROM credential",
        "SELECT * FROM session",
        "SELECT * FROM refresh_token",
        "SELECT * FROM staff",
        "SELECT * FROM instance",
        "SELECT * FROM seaql_migrations",
        "SELECT suspended_at FROM \"user\"",
        "SELECT \"user\" FROM \"user\"",
        "UPDATE \"user\" SET name = 'x'",
        "DELETE FROM \"user\"",
        "INSERT INTO staff SELECT id, 'super_admin', now() FROM \"user\"",
        "INSERT INTO membership SELECT org_id, gen_random_uuid(), user_id, 'owner', now() FROM \
         membership",
        "UPDATE membership SET org_id = org_id",
        "UPDATE organization SET plan = 'enterprise'",
        "UPDATE organization SET max_users = 1000000",
        "INSERT INTO organization SELECT * FROM organization",
        "DELETE FROM organization",
        "UPDATE feature_override SET enabled = true",
        "UPDATE usage_point SET value = 0",
        "UPDATE impersonation SET expires_at = now() + interval '1 year'",
        "DELETE FROM impersonation",
        "DELETE FROM idempotency_key",
    ];
    let denied_to_both = [
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE membership (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE membership DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE membership NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON membership",
        "CREATE POLICY hole ON membership USING (true)",
        "DROP TABLE usage_point",
        "CREATE OR REPLACE FUNCTION postern_append_only() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN RETURN NULL; END'",
        "ALTER ROLE postern_server BYPASSRLS",
        "CREATE ROLE mine",
        "GRANT postern_platform TO postern_tenant",
        "SET ROLE postern_owner",
        "SET SESSION AUTHORIZATION postgres",
        "SET session_replication_role = replica",
        "COPY membership TO PROGRAM 'cat'",
        "COPY membership TO '/tmp/membership'",
        "UPDATE seaql_migrations SET version = 'none'",
    ];
    let tenants =
        denied_to_tenants.iter().chain(&denied_to_both).map(|sql| ("postern_tenant", *sql));
    for (role, attempt) in
        tenants.chain(denied_to_both.iter().map(|sql| ("postern_platform", *sql)))
    {
        begin(&login, role, Some(&acme)).await;
        let refused = login.execute_unprepared(attempt).await.expect_err(attempt).to_string();
        let denied =
            ["permission denied", "must be owner", "must have", "must be", "not permitted"]
                .iter()
                .any(|words| refused.contains(words));
        assert!(denied, "{role}: {attempt} is denied: {refused}");
    }
    login.close().await.expect("the connection closes");
}

async fn audit_events_cannot_be_changed_by_either_role(t: &App) {
    let acme = t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await.to_string();
    let login = t.db.sign_in_as(SERVER).await;
    for role in ["postern_tenant", "postern_platform"] {
        for attempt in [
            "UPDATE audit_event SET summary = 'nothing happened'",
            "DELETE FROM audit_event",
            "TRUNCATE audit_event",
            "ALTER TABLE audit_event DISABLE TRIGGER ALL",
            "DROP TRIGGER audit_event_no_update_delete ON audit_event",
            "DROP TABLE audit_event",
            "INSERT INTO audit_event SELECT * FROM audit_event ON CONFLICT (id) DO UPDATE SET \
             summary = 'nothing happened'",
        ] {
            begin(&login, role, Some(&acme)).await;
            let refused = login.execute_unprepared(attempt).await.expect_err(attempt).to_string();
            assert!(
                refused.contains("permission denied") || refused.contains("must be owner"),
                "{role}: {attempt} is denied: {refused}"
            );
        }
    }
    login.close().await.expect("the connection closes");
}

/// Sets policies to `false` to see which requests they apply to.
async fn requests_run_in_their_tenant_context(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let member = t.member_id("acme", "viewer@acme.example").await;
    let path = format!("/v1/orgs/acme/members/{member}");
    owner.get(&path).await.expect(200);
    t.db.execute("ALTER POLICY tenant ON membership USING (false)")
        .await
        .expect("the statement runs");
    owner.get(&path).await.problem(404, "not_found");
    owner.patch(&path, serde_json::json!({ "role": "member" })).await.problem(404, "not_found");
    assert_eq!(
        owner.get("/v1/orgs/acme/members").await.expect(200).json["data"],
        serde_json::json!([]),
        "the list of members is empty"
    );
    t.db.execute("ALTER POLICY tenant ON audit_event USING (false) WITH CHECK (false)")
        .await
        .expect("the statement runs");
    assert_eq!(
        owner.get("/v1/orgs/acme/audit-events").await.expect(200).json["data"],
        serde_json::json!([]),
        "the audit log is empty"
    );
    owner
        .patch("/v1/orgs/acme", serde_json::json!({ "name": "Unrecorded" }))
        .await
        .problem(503, "unavailable");
    // Requests outside of an org run as the platform role.
    assert_eq!(
        t.events("action=org.created").await.len(),
        3,
        "the platform role still reads all orgs' events"
    );
    t.db.execute("ALTER POLICY platform ON session USING (false)")
        .await
        .expect("the statement runs");
    owner.get("/v1/me").await.problem(401, "session_ended");
}

/// PostgreSQL's default `search_path` starts with the schema named after the role.
async fn schemas_named_after_roles_are_ignored(t: &App) {
    let member = t.sign_in("member@acme.example").await;
    t.db.execute(
        "CREATE SCHEMA postern_platform; CREATE SCHEMA postern_tenant; CREATE TABLE \
         postern_platform.staff (user_id uuid, tier varchar(16), since timestamptz); INSERT INTO \
         postern_platform.staff SELECT id, 'super_admin', now() FROM public.\"user\"; CREATE VIEW \
         postern_tenant.membership AS SELECT * FROM public.membership; GRANT USAGE ON SCHEMA \
         postern_platform, postern_tenant TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA \
         postern_platform, postern_tenant TO PUBLIC",
    )
    .await
    .expect("the schemas are created");
    assert_eq!(
        member.get("/v1/me").await.expect(200).json["staff_tier"],
        serde_json::Value::Null,
        "the shadowing staff table is not used"
    );
    member.get("/v1/admin/search?q=globex").await.problem(403, "permission_denied");
    let members = member.get("/v1/orgs/acme/members").await.expect(200);
    assert_eq!(
        members.json["data"].as_array().map(Vec::len),
        Some(4),
        "the shadowing view is not used"
    );
    assert!(
        rls_drift::faults(&t.db.options()).await.iter().any(|fault| fault.check == "anomalies"),
        "the view is detected as an anomaly"
    );
}
