//! Row-level security in PostgreSQL, with raw SQL as the server's login and with requests. Tests
//! for drift are in `rls_drift`.

mod privileges;
mod requests;
mod rows;
mod sign_in;

use postern_tests::App;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

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
    row.expect("the query returns a row").try_get_by_index(0)
}

/// ID of an org by slug, as raw SQL needs it.
async fn org_id(t: &App, slug: &str) -> String {
    t.db.uuid(&format!("SELECT id FROM organization WHERE slug = '{slug}'")).await.to_string()
}
