//! The tenant context of requests, directly and through `PgBouncer`.

use postern_tests::{App, on_postgres};
use serde_json::{Value, json};

use crate::tenancy::rls_drift;

on_postgres![requests_run_in_their_tenant_context, schemas_named_after_roles_are_ignored];

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
    owner.patch(&path, json!({ "role": "member" })).await.problem(404, "not_found");
    assert_eq!(
        owner.get("/v1/orgs/acme/members").await.expect(200).json["data"],
        json!([]),
        "the list of members is empty"
    );
    t.db.execute("ALTER POLICY tenant ON audit_event USING (false) WITH CHECK (false)")
        .await
        .expect("the statement runs");
    assert_eq!(
        owner.get("/v1/orgs/acme/audit-events").await.expect(200).json["data"],
        json!([]),
        "the audit log is empty"
    );
    owner.patch("/v1/orgs/acme", json!({ "name": "Unrecorded" })).await.problem(503, "unavailable");
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
        Value::Null,
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
        rls_drift::faults(&t.db.options())
            .await
            .iter()
            .any(|fault| fault.check.name() == "anomalies"),
        "the view is detected as an anomaly"
    );
}
