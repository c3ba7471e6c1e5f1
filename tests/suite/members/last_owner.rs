//! The last-owner rule under concurrency.

use futures_util::future::join_all;
use postern_persistence::demo::Size;
use postern_tests::{App, on_all};
use serde_json::json;

on_all![concurrent_demotions_leave_an_owner];

/// Owners of one org demote and remove each other at the same time, in three rounds.
async fn concurrent_demotions_leave_an_owner(t: &App) {
    const OWNERS: usize = 32;
    t.fill(Size { orgs: 1, members: 32, events: 0 }).await;
    t.run_sql(
        "UPDATE membership SET role = 'owner' WHERE org_id = (SELECT id FROM organization WHERE \
         slug = 'company-1')",
    )
    .await;
    let mut owners = Vec::new();
    for n in 1..=OWNERS {
        let email = format!("member-{n}@company-1.example");
        owners.push((t.sign_in(&email).await, t.member_id("company-1", &email).await));
    }
    let owner_count = "SELECT count(*) FROM membership WHERE role = 'owner' AND org_id = (SELECT \
        id FROM organization WHERE slug = 'company-1')";
    let initial = t.db.count(owner_count).await;
    let mut lost = 0;
    for round in 1..=3 {
        let responses = join_all((0..OWNERS).map(|n| {
            let (owner, (_, next)) = (&owners[n].0, &owners[(n + round) % OWNERS]);
            async move {
                let path = format!("/v1/orgs/company-1/members/{next}");
                // Half of the owners demote, the others remove.
                if n % 2 == 0 {
                    owner.patch(&path, json!({ "role": "viewer" })).await
                } else {
                    owner.delete(&path).await
                }
            }
        }))
        .await;
        for response in &responses {
            assert!(
                [200, 204, 403, 404, 409].contains(&response.status),
                "unexpected response: {}",
                response.body
            );
        }
        lost = initial - t.db.count(owner_count).await;
    }
    assert!((1..initial).contains(&lost), "an owner is left: {lost} of {initial} lost the role");
    let members_where = |condition: &str| {
        format!(
            "SELECT count(*) FROM membership m JOIN organization o ON o.id = m.org_id WHERE o.slug \
             = 'company-1' {condition}"
        )
    };
    assert_eq!(
        t.recorded("user.removed").await,
        initial - t.db.count(&members_where("")).await,
        "each removal is recorded"
    );
    let demoted = "SELECT count(DISTINCT target_id) FROM audit_event WHERE action = \
                   'user.role_changed' AND org_slug = 'company-1'";
    assert!(
        t.db.count(demoted).await >= t.db.count(&members_where("AND m.role = 'viewer'")).await,
        "each demotion is recorded"
    );
}
