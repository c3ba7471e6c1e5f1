//! Rows that a tenant can read and write.

use postern_tests::{App, SERVER, tests_on};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{begin, count, org_id};

tests_on! { postgres, Postgres:
    tenant_reads_only_rows_of_its_org,
    no_access_without_tenant_context,
    tenant_cannot_write_to_another_org
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
async fn insert_rows_of_every_org(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    for org in ["acme", "globex", "initech"] {
        t.impersonate(&support, &format!("viewer@{org}.example"), org, "read_only").await;
        t.sign_in(&format!("owner@{org}.example"))
            .await
            .patch(&format!("/v1/orgs/{org}"), json!({ "name": "Renamed" }))
            .await
            .expect(200);
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
            .patch(&format!("/v1/orgs/{org}"), json!({ "name": "Again" }))
            .await
            .expect(200);
    }
}

/// True if the tenant role has the SELECT privilege on a column of the table.
async fn tenant_role_can_read(t: &App, table: &str) -> bool {
    t.db.count(&format!(
        "SELECT has_any_column_privilege('postern_tenant', 'public.{table}', 'SELECT')::int::bigint"
    ))
    .await
        == 1
}

async fn tenant_reads_only_rows_of_its_org(t: &App) {
    insert_rows_of_every_org(t).await;
    let login = t.db.sign_in_as(SERVER).await;
    for org in t.db.texts("SELECT id::text FROM organization").await {
        for (table, column) in tables_of_tenants(t).await {
            let org_rows =
                t.db.count(&format!("SELECT count(*) FROM {table} WHERE {column} = '{org}'")).await;
            assert!(org_rows > 0, "{table} has rows of {org}");
            begin(&login, "postern_tenant", Some(&org)).await;
            let visible = count(&login, &format!("SELECT count(*) FROM {table}")).await;
            if tenant_role_can_read(t, &table).await {
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
        let expected = t.db.count(&visible_users.replace("ORG", &org)).await;
        begin(&login, "postern_tenant", Some(&org)).await;
        assert_eq!(
            count(&login, "SELECT count(id) FROM \"user\"").await,
            Ok(expected),
            "only users connected to the org are visible"
        );
    }
    login.close().await.expect("the connection closes");
}

async fn no_access_without_tenant_context(t: &App) {
    insert_rows_of_every_org(t).await;
    let login = t.db.sign_in_as(SERVER).await;
    for (table, column) in tables_of_tenants(t).await {
        for context in [None, Some("")] {
            begin(&login, "postern_tenant", context).await;
            let visible = count(&login, &format!("SELECT count(*) FROM {table}")).await;
            assert!(
                visible == Ok(0) || !tenant_role_can_read(t, &table).await,
                "{table} shows no rows: {visible:?}"
            );
        }
        // The login itself has no privileges.
        login.execute_unprepared("ROLLBACK").await.expect("the transaction ends");
        let error = count(&login, &format!("SELECT count({column}) FROM {table}"))
            .await
            .expect_err(&table)
            .to_string();
        assert!(error.contains("permission denied"), "the login cannot read {table}: {error}");
    }
    let acme = org_id(t, "acme").await;
    let member =
        t.db.uuid(&format!("SELECT user_id FROM membership WHERE org_id = '{acme}' LIMIT 1")).await;
    let stored_response =
        format!("INSERT INTO idempotency_key VALUES ('{acme}', '{member}', '', '', '', now())");
    for attempt in [insert_event(&format!("'{acme}'")), insert_event("NULL"), stored_response] {
        begin(&login, "postern_tenant", None).await;
        let error = login.execute_unprepared(&attempt).await.expect_err(&attempt).to_string();
        assert!(error.contains("row-level security"), "{attempt} fails: {error}");
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
fn insert_event(org: &str) -> String {
    format!(
        "INSERT INTO audit_event (id, occurred_at, org_id, actor_type, action, outcome, \
         target_type, target_label, summary, metadata, schema_version, salts) VALUES \
         (gen_random_uuid(), now(), {org}, 'system', 'org.updated', 'succeeded', 'org', 'x', \
         'forged', '{{}}', 1, decode(repeat('00', 112), 'hex'))"
    )
}

async fn tenant_cannot_write_to_another_org(t: &App) {
    insert_rows_of_every_org(t).await;
    let (acme, globex) = (org_id(t, "acme").await, org_id(t, "globex").await);
    let login = t.db.sign_in_as(SERVER).await;
    // Rows of another org are not visible, so no row changes.
    for attempt in [
        format!("UPDATE membership SET role = 'viewer' WHERE org_id = '{globex}'"),
        format!("DELETE FROM membership WHERE org_id = '{globex}'"),
        format!("UPDATE organization SET name = 'Taken' WHERE id = '{globex}'"),
        format!("UPDATE org_setting SET color = NULL WHERE org_id = '{globex}'"),
        format!("UPDATE impersonation SET ended_at = now() WHERE org_id = '{globex}'"),
        format!("UPDATE idempotency_key SET response = '' WHERE org_id = '{globex}'"),
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
    let stored_response = format!(
        "INSERT INTO idempotency_key SELECT '{globex}', user_id, '\\x01', '', '', now() FROM \
         membership LIMIT 1"
    );
    let moved = format!("UPDATE idempotency_key SET org_id = '{globex}'");
    for attempt in
        [insert_event(&format!("'{globex}'")), insert_event("NULL"), queued, stored_response, moved]
    {
        begin(&login, "postern_tenant", Some(&acme)).await;
        let error = login.execute_unprepared(&attempt).await.expect_err(&attempt).to_string();
        assert!(error.contains("row-level security"), "{attempt} fails: {error}");
    }
    // Allowed writes succeed.
    begin(&login, "postern_tenant", Some(&acme)).await;
    login
        .execute_unprepared(&insert_event(&format!("'{acme}'")))
        .await
        .expect("a tenant can write to its own log");
    login
        .execute_unprepared("UPDATE membership SET role = 'viewer' WHERE role = 'member'")
        .await
        .expect("a tenant can change its own members");
    login.close().await.expect("the connection closes");
}
