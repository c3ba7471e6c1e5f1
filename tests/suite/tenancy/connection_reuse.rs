//! Connection reuse: no tenant context remains on a connection.

use futures_util::{StreamExt, future::join_all, stream};
use postern_persistence::demo::Size;
use postern_tests::{App, on_all, tests_on};
use sea_orm::ConnectionTrait;
use serde_json::json;

on_all![reused_connections_keep_no_tenant_context];

tests_on! { pooled, PgBouncer: pooled_connections_keep_no_tenant_context }

/// After a transaction, `PgBouncer` reuses the connection without its role or tenant context.
async fn pooled_connections_keep_no_tenant_context(t: &App) {
    for org in ["acme", "globex", "initech"] {
        let owner = t.sign_in(&format!("owner@{org}.example")).await;
        owner.patch(&format!("/v1/orgs/{org}"), json!({ "name": "Renamed" })).await.expect(200);
        owner.get(&format!("/v1/orgs/{org}/members")).await.expect(200);
    }
    let check_clean = "DO $$ BEGIN IF current_user <> session_user OR \
        coalesce(current_setting('postern.org_id', true), '') <> '' THEN RAISE EXCEPTION 'still % \
        of %', current_user, current_setting('postern.org_id', true); END IF; END $$";
    // More concurrent clients than pooled connections, so that every connection is checked.
    let checks = join_all((0..12).map(|_| async {
        let borrowed = t.db.borrow_from_the_pooler().await;
        let result = borrowed.execute_unprepared(check_clean).await;
        borrowed.close().await.expect("the connection closes");
        result
    }));
    for result in checks.await {
        result.expect("the connection has no role or tenant context left");
    }
}

const ORGS: usize = 50;

/// Sends 10,000 requests of 50 orgs over 4 connections, 64 at a time. Each response contains only
/// data of its own org.
async fn reused_connections_keep_no_tenant_context(t: &App) {
    let server = App::start_on(t.backend, |_| {}, |options| options.max_connections = 4).await;
    server.fill(Size { orgs: 50, members: 3, events: 500 }).await;
    let owners = join_all((1..=ORGS).map(|n| {
        let server = &server;
        async move { server.sign_in(&format!("member-1@company-{n}.example")).await }
    }))
    .await;
    let resources = [
        "",
        "/members",
        "/audit-events",
        "/settings",
        "/members?q=member",
        "/audit-events?action=settings.updated",
    ];
    let requests = stream::iter(0..10_000_usize).map(|n| {
        // Consecutive requests differ in org and resource.
        let (org, resource) = (n * 7 % ORGS, resources[n / ORGS % resources.len()]);
        let owner = &owners[org];
        async move {
            let slug = format!("company-{}", org + 1);
            let response = owner.get(&format!("/v1/orgs/{slug}{resource}")).await.expect(200);
            let others = response.body.split("company-").skip(1).filter(|rest| {
                let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
                number != (org + 1).to_string()
            });
            assert_eq!(others.count(), 0, "{slug} gets no data of other orgs: {}", response.body);
            assert!(
                resource == "/settings" || response.body.contains(&slug),
                "{slug} gets its own data: {}",
                response.body
            );
        }
    });
    let completed = requests.buffer_unordered(64).count().await;
    assert_eq!(completed, 10_000, "all requests complete");
    server.finish().await;
}
