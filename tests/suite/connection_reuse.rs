//! Connections go from org to org, and nothing of one is left when the next comes; and rules that count hold in a crowd.

use futures_util::{StreamExt, future::join_all, stream};
use postern_persistence::demo::Size;
use postern_tests::{App, on_all, tests_on};
use sea_orm::ConnectionTrait;
use serde_json::json;

on_all![reused_connections_keep_no_tenant_context, concurrent_demotions_leave_an_owner];

mod between_transactions {
    use super::{pooled_connections_keep_no_tenant_context, tests_on};

    tests_on! { pgbouncer, PgBouncer: pooled_connections_keep_no_tenant_context }
}

/// What is committed takes neither role nor pin along; the pooler hands the very connections on.
async fn pooled_connections_keep_no_tenant_context(t: &App) {
    for org in ["acme", "globex", "initech"] {
        let owner = t.sign_in(&format!("owner@{org}.example")).await;
        owner.patch(&format!("/v1/orgs/{org}"), json!({ "name": "Renamed" })).await.expect(200);
        owner.get(&format!("/v1/orgs/{org}/members")).await.expect(200);
    }
    let clean = "DO $$ BEGIN IF current_user <> session_user OR coalesce(current_setting('postern.org_id', true), '') <> '' \
                 THEN RAISE EXCEPTION 'still % of %', current_user, current_setting('postern.org_id', true); END IF; END $$";
    // More at a time than the pooler has connections, so that each of them is asked.
    let asked = join_all((0..12).map(|_| async {
        let borrowed = t.db.borrow_from_the_pooler().await;
        let found = borrowed.execute_unprepared(clean).await;
        borrowed.close().await.expect("closes");
        found
    }));
    for found in asked.await {
        found.expect("nothing is left of anybody");
    }
}

const ORGS: usize = 50;

/// Ten thousand requests of fifty orgs over four connections, many at a time; each answer speaks of its own org alone.
async fn reused_connections_keep_no_tenant_context(t: &App) {
    let crowded = App::start_on(t.backend, |_| {}, |options| options.max_connections = 4).await;
    crowded.fill(Size { orgs: 50, members: 3, events: 500 }).await;
    let people = join_all((1..=ORGS).map(|n| {
        let crowded = &crowded;
        async move { crowded.sign_in(&format!("member-1@company-{n}.example")).await }
    }))
    .await;
    let what = [
        "",
        "/members",
        "/audit-events",
        "/settings",
        "/members?q=member",
        "/audit-events?action=org.created",
    ];
    let requests = stream::iter(0..10_000_usize).map(|n| {
        // Neighbours in time are of different orgs, and ask for different things.
        let (org, what) = (n * 7 % ORGS, what[n / ORGS % what.len()]);
        let person = &people[org];
        async move {
            let own = format!("company-{}", org + 1);
            let answer = person.get(&format!("/v1/orgs/{own}{what}")).await.expect(200);
            let others = answer.body.split("company-").skip(1).filter(|rest| {
                let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
                number != (org + 1).to_string()
            });
            assert_eq!(others.count(), 0, "{own} is told of another: {}", answer.body);
            assert!(
                what == "/settings" || answer.body.contains(&own),
                "{own} is not told of itself: {}",
                answer.body
            );
        }
    });
    let done = requests.buffer_unordered(64).count().await;
    assert_eq!(done, 10_000);
    crowded.finish().await;
}

async fn concurrent_demotions_leave_an_owner(t: &App) {
    const OWNERS: usize = 32;
    t.fill(Size { orgs: 1, members: 32, events: 0 }).await;
    t.meddle("UPDATE membership SET role = 'owner' WHERE org_id = (SELECT id FROM organization WHERE slug = 'company-1')").await;
    let mut owners = Vec::new();
    for n in 1..=OWNERS {
        let email = format!("member-{n}@company-1.example");
        owners.push((t.sign_in(&email).await, t.member_id("company-1", &email).await));
    }
    let left = "SELECT count(*) FROM membership WHERE role = 'owner' AND org_id = (SELECT id FROM organization WHERE slug = 'company-1')";
    let all = t.db.count(left).await;
    let mut gone = 0;
    for round in 1..=3 {
        let answers = join_all((0..OWNERS).map(|n| {
            let (person, (_, next)) = (&owners[n].0, &owners[(n + round) % OWNERS]);
            async move {
                let path = format!("/v1/orgs/company-1/members/{next}");
                // Half of them demote, half of them remove.
                if n % 2 == 0 {
                    person.patch(&path, json!({ "role": "viewer" })).await
                } else {
                    person.delete(&path).await
                }
            }
        }))
        .await;
        for answer in &answers {
            assert!([200, 204, 403, 404, 409].contains(&answer.status), "{}", answer.body);
        }
        gone = all - t.db.count(left).await;
    }
    assert!((1..all).contains(&gone), "{gone} of {all} owners are gone");
    let here = |which: &str| {
        format!(
            "SELECT count(*) FROM membership m JOIN organization o ON o.id = m.org_id WHERE o.slug = 'company-1' {which}"
        )
    };
    assert_eq!(
        t.recorded("user.removed").await,
        all - t.db.count(&here("")).await,
        "each who went stands in the record"
    );
    let demoted = "SELECT count(DISTINCT target_id) FROM audit_event WHERE action = 'user.role_changed' AND org_slug = 'company-1'";
    assert!(
        t.db.count(demoted).await >= t.db.count(&here("AND m.role = 'viewer'")).await,
        "each who was demoted stands in the record"
    );
}
