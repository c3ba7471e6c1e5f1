//! docs/tenancy.md: setup and queries.

use postern_tests::{App, SERVER, tests_on};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

use super::{block, create_database, drop_database, output_until_serving, shell, with_urls};

tests_on! { postgres, Postgres: documented_tenancy_setup_works, documented_rls_queries_work }

async fn documented_tenancy_setup_works(t: &App) {
    let name = create_database(t, "tenants").await;
    let command = shell(&with_urls(t, &block("set-up"), &name), t.folder.path());
    let output = tokio::task::spawn_blocking(|| output_until_serving(command))
        .await
        .expect("the task completes")
        .join("\n");
    assert!(
        output.contains("all checks passed") && output.contains("Postern is running"),
        "doctor passes and the server starts: {output}"
    );
    drop_database(t, &name).await;
}

/// The comment at the end of each line states the result of its last statement.
async fn documented_rls_queries_work(t: &App) {
    let acme = t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await;
    let server = t.db.sign_in_as(SERVER).await;
    for line in block("row-level-security").replace("<an org>", &acme.to_string()).lines() {
        let (sql, expected) = line.split_once("--").expect("a comment states the result");
        let (before, last) = sql
            .trim()
            .trim_end_matches(';')
            .rsplit_once(';')
            .unwrap_or(("", sql.trim().trim_end_matches(';')));
        server.execute_unprepared(before).await.expect("the statement runs");
        let result =
            server.query_one_raw(Statement::from_string(DbBackend::Postgres, last.trim())).await;
        let number = |result: Result<Option<QueryResult>, DbErr>| -> i64 {
            result
                .expect("the query runs")
                .expect("the query returns a row")
                .try_get_by_index(0)
                .expect("the column is a number")
        };
        match expected.trim() {
            "permission denied" => assert!(
                result.is_err_and(|error| error.to_string().contains("permission denied")),
                "permission denied: {line}"
            ),
            "0: no tenant context" => assert_eq!(number(result), 0, "no rows: {line}"),
            "that org's" => {
                let members =
                    t.db.count(&format!("SELECT count(*) FROM membership WHERE org_id = '{acme}'"))
                        .await;
                assert!(members > 0 && number(result) == members, "the members of the org: {line}");
            }
            other => panic!("the test handles the result {other}"),
        }
    }
    server.close().await.expect("the connection closes");
}
