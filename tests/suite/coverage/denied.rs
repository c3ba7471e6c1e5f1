//! Callers without permission: 401 for anonymous callers, 403 for other roles and tiers, and for
//! non-members the same 404 as for a random org. Denials are recorded.

use postern_domain::scope::ScopeKind;
use postern_tests::{App, on_both};

use super::{callers, operations, request};

on_both![
    anonymous_callers_get_401,
    callers_without_permission_get_403,
    non_members_get_the_404_of_a_random_org,
];

async fn anonymous_callers_get_401(t: &App) {
    for row in operations().filter(|row| row.scope != ScopeKind::Public) {
        let (method, path, body) = request(t, row, "acme").await;
        t.anonymous().send(method, &path, body).await.problem(401, "unauthenticated");
    }
}

async fn callers_without_permission_get_403(t: &App) {
    for row in operations() {
        let (method, path, body) = request(t, row, "acme").await;
        for email in callers(row, false) {
            let caller = t.sign_in(&email).await;
            let before = t.recorded("permission.denied").await;
            let response = caller.send(method, &path, body.clone()).await;
            assert_eq!(response.status, 403, "{email} calls {}: {}", row.id, response.body);
            response.problem(403, "permission_denied");
            assert_eq!(
                t.recorded("permission.denied").await,
                before + 1,
                "a denial of {} for {email} is recorded once",
                row.id
            );
        }
    }
}

async fn non_members_get_the_404_of_a_random_org(t: &App) {
    for row in operations().filter(|row| row.scope == ScopeKind::Org) {
        let (method, path, body) = request(t, row, "acme").await;
        let (_, random, _) = request(t, row, "org_01k7fgpr00e00800000000000g").await;
        let non_member = t.sign_in("owner@globex.example").await;
        let before = t.recorded("permission.denied").await;
        let existing = non_member.send(method, &path, body.clone()).await.problem(404, "not_found");
        let nonexistent = non_member.send(method, &random, body).await.problem(404, "not_found");
        assert_eq!(
            existing.without_request_id(),
            nonexistent.without_request_id(),
            "{}: the response is the same as for a random org",
            row.id
        );
        assert_eq!(
            t.recorded("permission.denied").await,
            before + 2,
            "{}: both denials are recorded",
            row.id
        );
    }
}
