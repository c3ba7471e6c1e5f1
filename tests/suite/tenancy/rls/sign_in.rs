//! The sign-in rate limit under forged events.

use postern_tests::{App, SERVER, tests_on};
use sea_orm::ConnectionTrait;

use super::{begin, org_id};

tests_on! { postgres, Postgres: failures_forged_by_a_tenant_limit_no_sign_in }

/// A tenant can write any event to its own log. The sign-in rate limit counts events of the
/// platform log only.
async fn failures_forged_by_a_tenant_limit_no_sign_in(t: &App) {
    let acme = org_id(t, "acme").await;
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
