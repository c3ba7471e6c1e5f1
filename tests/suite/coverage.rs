//! Every operation of the table, called by every kind of caller. An operation without a scenario in
//! `request` fails the test.
//!
//! Expected: anonymous → 401; each role and tier → success, or 403 with a `permission.denied`
//! event, as the permission states; non-member → the same 404 as for a random org; impersonated →
//! as the row states; success → exactly the declared events.

use postern_api::operations::TABLE;
use postern_domain::{
    operation::{Impersonated, Operation, Records},
    role::Role,
    scope::ScopeKind,
    staff::Tier,
};
use postern_tests::{Answer, App, PASSWORD, Person, on_both};
use serde_json::{Value, json};

on_both![every_operation_by_every_caller];

/// Operations without a scenario. Do not add to it.
const EXEMPT: &[&str] = &[];

async fn every_operation_by_every_caller(t: &App) {
    for row in TABLE.iter().filter(|row| !EXEMPT.contains(&row.id)) {
        the_refused(t, row).await;
        for caller in allowed(row) {
            if !changes(row) {
                succeeds(t, row, &t.sign_in(&caller).await).await;
                continue;
            }
            // Operations that change state run on a new server and database each.
            let fresh = App::start(t.backend, |_| {}).await;
            let caller = fresh.sign_in(&caller).await;
            succeeds(&fresh, row, &caller).await;
            fresh.finish().await;
        }
        impersonated(t, row).await;
    }
}

const fn changes(row: &Operation) -> bool {
    matches!(row.records, Records::Always(_) | Records::OnAnomaly(_))
}

/// A valid request to the operation: method, path and body. `org` fills `{org}` in the path.
pub async fn request(t: &App, row: &Operation, org: &str) -> (&'static str, String, Option<Value>) {
    let member = || t.member_id("acme", "viewer@acme.example");
    let user = || t.user_id("viewer@globex.example");
    let reason = "needed for the coverage test";
    let (method, path, body) = match row.id {
        "login" => (
            "POST",
            "/v1/auth/login".to_owned(),
            Some(json!({ "email": "owner@acme.example", "password": PASSWORD })),
        ),
        "refresh" => {
            let refresh =
                t.log_in("owner@acme.example", PASSWORD).await.expect(200).text("/refresh_token");
            ("POST", "/v1/auth/refresh".to_owned(), Some(json!({ "refresh_token": refresh })))
        }
        "logout" => ("POST", "/v1/auth/logout".to_owned(), None),
        "read_jwks" => ("GET", "/.well-known/jwks.json".to_owned(), None),
        "read_authorization_server" => {
            ("GET", "/.well-known/oauth-authorization-server".to_owned(), None)
        }
        "read_me" => ("GET", "/v1/me".to_owned(), None),
        "update_me" => ("PATCH", "/v1/me".to_owned(), Some(json!({ "name": "Another Name" }))),
        "change_password" => {
            let body =
                json!({ "current_password": PASSWORD, "new_password": "another four words here" });
            ("POST", "/v1/me/password".to_owned(), Some(body))
        }
        "list_my_sessions" => ("GET", "/v1/me/sessions".to_owned(), None),
        // The session depends on the caller: `succeeds` fills it in.
        "revoke_my_session" => {
            ("DELETE", "/v1/me/sessions/sess_01k7fgpr00e00800000000000g".to_owned(), None)
        }
        "read_my_permissions" => ("GET", "/v1/me/permissions".to_owned(), None),
        "create_org" => {
            ("POST", "/v1/orgs".to_owned(), Some(json!({ "name": "Umbrella", "slug": "umbrella" })))
        }
        "list_my_orgs" => ("GET", "/v1/orgs".to_owned(), None),
        "read_org" => ("GET", format!("/v1/orgs/{org}"), None),
        "update_org" => {
            ("PATCH", format!("/v1/orgs/{org}"), Some(json!({ "name": "Another Name" })))
        }
        "delete_org" => {
            ("DELETE", format!("/v1/orgs/{org}"), Some(json!({ "confirm_slug": "acme" })))
        }
        "read_dashboard" => ("GET", format!("/v1/orgs/{org}/dashboard"), None),
        "list_members" => ("GET", format!("/v1/orgs/{org}/members"), None),
        "read_member" => ("GET", format!("/v1/orgs/{org}/members/{}", member().await), None),
        "change_member_role" => (
            "PATCH",
            format!("/v1/orgs/{org}/members/{}", member().await),
            Some(json!({ "role": "member" })),
        ),
        "remove_member" => ("DELETE", format!("/v1/orgs/{org}/members/{}", member().await), None),
        "read_settings" => ("GET", format!("/v1/orgs/{org}/settings"), None),
        "update_settings" => (
            "PATCH",
            format!("/v1/orgs/{org}/settings"),
            Some(json!({ "branding": { "color": "#123456" } })),
        ),
        "list_features" => ("GET", format!("/v1/orgs/{org}/features"), None),
        "read_feature" => ("GET", format!("/v1/orgs/{org}/features/sso"), None),
        "list_audit_events" => ("GET", format!("/v1/orgs/{org}/audit-events"), None),
        "read_audit_event" => (
            "GET",
            format!("/v1/orgs/{org}/audit-events/{}", founded(t, "org.created").await),
            None,
        ),
        "stream_audit_events" => ("GET", format!("/v1/orgs/{org}/audit-events/stream"), None),
        "stream_platform_audit_events" => ("GET", "/v1/admin/audit-events/stream".to_owned(), None),
        "read_log_checkpoint" => ("GET", format!("/v1/orgs/{org}/audit-log/checkpoint"), None),
        "read_log_keys" => ("GET", format!("/v1/orgs/{org}/audit-log/keys"), None),
        "read_log_tile" => {
            t.sequence().await;
            ("GET", format!("/v1/orgs/{org}/audit-log/tile/0/000.p/1"), None)
        }
        "read_log_entries" => {
            t.sequence().await;
            ("GET", format!("/v1/orgs/{org}/audit-log/tile/entries/000.p/1"), None)
        }
        "read_log_proof" => (
            "GET",
            format!("/v1/orgs/{org}/audit-log/proof?event={}", founded(t, "org.created").await),
            None,
        ),
        "read_platform_log_checkpoint" => {
            ("GET", "/v1/admin/audit-log/checkpoint".to_owned(), None)
        }
        "read_platform_log_keys" => ("GET", "/v1/admin/audit-log/keys".to_owned(), None),
        "read_platform_log_tile" => {
            founded(t, "auth.login_succeeded").await;
            ("GET", "/v1/admin/audit-log/tile/0/000.p/1".to_owned(), None)
        }
        "read_platform_log_entries" => {
            founded(t, "auth.login_succeeded").await;
            ("GET", "/v1/admin/audit-log/tile/entries/000.p/1".to_owned(), None)
        }
        "read_platform_log_proof" => (
            "GET",
            format!("/v1/admin/audit-log/proof?event={}", founded(t, "auth.login_succeeded").await),
            None,
        ),
        "list_org_impersonations" => ("GET", format!("/v1/orgs/{org}/impersonations"), None),
        "search_accounts" => ("GET", "/v1/admin/search?q=acme".to_owned(), None),
        "start_impersonation" => {
            let target = t.user_id("member@acme.example").await;
            let body = json!({
                "target_user_id": target, "org": "acme", "reason": reason, "ticket_ref": "SUP-1",
            });
            ("POST", "/v1/admin/impersonations".to_owned(), Some(body))
        }
        "list_impersonations" => ("GET", "/v1/admin/impersonations".to_owned(), None),
        "end_impersonation" => {
            ("DELETE", "/v1/admin/impersonations/imp_01k7fgpr00e00800000000000g".to_owned(), None)
        }
        "list_staff" => ("GET", "/v1/admin/staff".to_owned(), None),
        "set_staff_tier" => (
            "PUT",
            format!("/v1/admin/staff/{}", user().await),
            Some(json!({ "tier": "support", "reason": reason })),
        ),
        "remove_staff" => {
            let support = t.user_id("support@postern.example").await;
            ("DELETE", format!("/v1/admin/staff/{support}"), Some(json!({ "reason": reason })))
        }
        "list_platform_audit_events" => ("GET", "/v1/admin/audit-events".to_owned(), None),
        "read_policy" => ("GET", "/v1/admin/permissions".to_owned(), None),
        "read_health" => ("GET", "/healthz".to_owned(), None),
        "read_readiness" => ("GET", "/readyz".to_owned(), None),
        "read_metrics" => ("GET", "/metrics".to_owned(), None),
        "read_problem" => ("GET", "/problems/not_found".to_owned(), None),
        other => panic!("add a scenario for {other}"),
    };
    (method, path, body)
}

/// ID of an event of acme or of the platform with this action. The event is in its log on return.
async fn founded(t: &App, action: &str) -> String {
    let events = t.events(&format!("action={action}")).await;
    t.sequence().await;
    let event = events
        .iter()
        .find(|event| event["org"].is_null() || event["org"]["slug"] == "acme")
        .expect("an event with this action exists");
    event["id"].as_str().expect("id is a string").to_owned()
}

fn staff(tier: Tier) -> String {
    let name = match tier {
        Tier::Support => "support",
        Tier::Operations => "ops",
        Tier::Engineering => "eng",
        Tier::SuperAdmin => "super",
    };
    format!("{name}@postern.example")
}

fn allowed(row: &Operation) -> Vec<String> {
    match (row.scope, row.needs) {
        (ScopeKind::Org, Some(needed)) => Role::ALL
            .iter()
            .copied()
            .filter(|role| needed.granted_to_role(*role))
            .map(|role| format!("{role}@acme.example"))
            .collect(),
        (ScopeKind::Staff, Some(needed)) => Tier::ALL
            .iter()
            .copied()
            .filter(|tier| needed.granted_to_tier(*tier))
            .map(staff)
            .collect(),
        _ => vec!["member@acme.example".to_owned(), "support@postern.example".to_owned()],
    }
}

fn refused(row: &Operation) -> Vec<String> {
    match (row.scope, row.needs) {
        (ScopeKind::Org, Some(needed)) => Role::ALL
            .iter()
            .copied()
            .filter(|role| !needed.granted_to_role(*role))
            .map(|role| format!("{role}@acme.example"))
            .collect(),
        (ScopeKind::Staff, Some(needed)) => {
            let tiers =
                Tier::ALL.iter().copied().filter(|tier| !needed.granted_to_tier(*tier)).map(staff);
            tiers.chain(["owner@acme.example".to_owned()]).collect()
        }
        _ => Vec::new(),
    }
}

async fn the_refused(t: &App, row: &Operation) {
    let (method, path, body) = request(t, row, "acme").await;
    if row.scope != ScopeKind::Public {
        t.anonymous().send(method, &path, body.clone()).await.problem(401, "unauthenticated");
    }
    for email in refused(row) {
        let caller = t.sign_in(&email).await;
        let before = t.recorded("permission.denied").await;
        let answer = caller.send(method, &path, body.clone()).await;
        assert_eq!(answer.status, 403, "{email} calls {}: {}", row.id, answer.body);
        answer.problem(403, "permission_denied");
        assert_eq!(
            t.recorded("permission.denied").await,
            before + 1,
            "a denial of {} for {email} is recorded once",
            row.id
        );
    }
    if row.scope == ScopeKind::Org {
        let non_member = t.sign_in("owner@globex.example").await;
        let (_, random, _) = request(t, row, "org_01k7fgpr00e00800000000000g").await;
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

async fn succeeds(t: &App, row: &Operation, caller: &Person<'_>) {
    let (method, mut path, body) = request(t, row, "acme").await;
    match row.id {
        "revoke_my_session" => {
            let session = caller.get("/v1/me/sessions").await.expect(200).text("/data/0/id");
            path = format!("/v1/me/sessions/{session}");
        }
        "end_impersonation" => {
            let (_, started) =
                t.impersonate(caller, "member@acme.example", "acme", "read_only").await;
            path = format!(
                "/v1/admin/impersonations/{}",
                started["impersonation"]["id"].as_str().expect("id is a string")
            );
        }
        _ => {}
    }
    let before = actions(t).await;
    let answer = caller.send(method, &path, body).await;
    assert!(answer.status < 300, "{} succeeds: {}", row.id, answer.body);
    let recorded: Vec<String> = actions(t).await.split_off(before.len());
    let declared: Vec<&str> = match row.records {
        // Recorded only if the request reads beyond the caller's own data.
        Records::InOwnTx(actions) if !recorded.is_empty() => {
            actions.iter().map(|action| action.name()).collect()
        }
        Records::Always(actions) => actions.iter().map(|action| action.name()).collect(),
        Records::Nothing | Records::InOwnTx(_) | Records::OnAnomaly(_) => Vec::new(),
    };
    assert_eq!(
        recorded.len(),
        usize::from(!declared.is_empty()),
        "{} records one event if it declares any: {recorded:?}",
        row.id
    );
    assert!(
        recorded.iter().all(|action| declared.contains(&action.as_str())),
        "{} records only the declared {declared:?}, not {recorded:?}",
        row.id
    );
}

async fn actions(t: &App) -> Vec<String> {
    t.db.texts("SELECT action FROM audit_event ORDER BY id").await
}

async fn impersonated(t: &App, row: &Operation) {
    if row.scope == ScopeKind::Public {
        return;
    }
    for mode in ["read_only", "full"] {
        let fresh = App::start(t.backend, |_| {}).await;
        let (method, path, body) = request(&fresh, row, "acme").await;
        let support = fresh.sign_in("support@postern.example").await;
        let (target, _) = fresh.impersonate(&support, "owner@acme.example", "acme", mode).await;
        let before = (
            fresh.recorded("impersonation.request").await,
            fresh.recorded("permission.denied").await,
        );
        let answer: Answer = target.send(method, &path, body).await;
        let denied = match (row.impersonated, mode) {
            (Impersonated::Blocked, _) => Some("impersonation_blocked"),
            (Impersonated::Write, "read_only") => Some("impersonation_read_only"),
            _ => None,
        };
        match denied {
            Some(code) => drop(answer.problem(403, code)),
            None => {
                assert!(answer.status < 300, "{} succeeds in mode {mode}: {}", row.id, answer.body)
            }
        }
        let after = (
            fresh.recorded("impersonation.request").await,
            fresh.recorded("permission.denied").await,
        );
        assert_eq!(
            after,
            (before.0 + 1, before.1 + i64::from(denied.is_some())),
            "{} in mode {mode}: the request and a denial are recorded",
            row.id
        );
        fresh.finish().await;
    }
}
