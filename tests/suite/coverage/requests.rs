//! A valid request for each operation.

use postern_domain::{id::ImpersonationId, operation::Operation};
use postern_tests::{App, PASSWORD};
use serde_json::{Value, json};

/// Method, path and body.
type Request = (&'static str, String, Option<Value>);

const UNKNOWN_IMPERSONATION: &str = "/v1/admin/impersonations/imp_01k7fgpr00e00800000000000g";

const REASON: &str = "needed for the coverage test";

/// Paths of GET operations, by operation id.
const READS: &[(&str, &str)] = &[
    ("read_jwks", "/.well-known/jwks.json"),
    ("read_authorization_server", "/.well-known/oauth-authorization-server"),
    ("read_me", "/v1/me"),
    ("list_my_sessions", "/v1/me/sessions"),
    ("read_my_permissions", "/v1/me/permissions"),
    ("list_my_orgs", "/v1/orgs"),
    ("read_org", "/v1/orgs/{org}"),
    ("read_dashboard", "/v1/orgs/{org}/dashboard"),
    ("list_members", "/v1/orgs/{org}/members"),
    ("read_settings", "/v1/orgs/{org}/settings"),
    ("list_features", "/v1/orgs/{org}/features"),
    ("read_feature", "/v1/orgs/{org}/features/sso"),
    ("list_audit_events", "/v1/orgs/{org}/audit-events"),
    ("export_audit_events", "/v1/orgs/{org}/audit-events/export"),
    ("stream_audit_events", "/v1/orgs/{org}/audit-events/stream"),
    ("read_log_checkpoint", "/v1/orgs/{org}/audit-log/checkpoint"),
    ("read_log_keys", "/v1/orgs/{org}/audit-log/keys"),
    ("list_org_impersonations", "/v1/orgs/{org}/impersonations"),
    ("search_accounts", "/v1/admin/search?q=acme"),
    ("list_impersonations", "/v1/admin/impersonations"),
    ("list_staff", "/v1/admin/staff"),
    ("list_platform_audit_events", "/v1/admin/audit-events"),
    ("export_platform_audit_events", "/v1/admin/audit-events/export"),
    ("stream_platform_audit_events", "/v1/admin/audit-events/stream"),
    ("read_platform_log_checkpoint", "/v1/admin/audit-log/checkpoint"),
    ("read_platform_log_keys", "/v1/admin/audit-log/keys"),
    ("list_audit_actions", "/v1/audit-actions"),
    ("read_policy", "/v1/admin/permissions"),
    ("read_health", "/healthz"),
    ("read_readiness", "/readyz"),
    ("read_metrics", "/metrics"),
    ("list_problems", "/problems"),
    ("read_problem", "/problems/not_found"),
];

/// A valid request to the operation. `org` fills `{org}` in the path.
pub async fn request(t: &App, row: &Operation, org: &str) -> Request {
    if let Some((_, path)) = READS.iter().find(|(id, _)| *id == row.id) {
        return ("GET", path.replace("{org}", org), None);
    }
    if let Some(request) = own_account(t, row.id).await {
        return request;
    }
    if let Some(request) = in_org(t, row.id, org).await {
        return request;
    }
    if let Some(path) = log_path(t, row.id, org).await {
        return ("GET", path, None);
    }
    admin(t, row.id).await.unwrap_or_else(|| panic!("add a scenario for {}", row.id))
}

/// Operations on the caller's own account.
async fn own_account(t: &App, id: &str) -> Option<Request> {
    let (method, path, body) = match id {
        "login" => (
            "POST",
            "/v1/auth/login",
            Some(json!({ "email": "owner@acme.example", "password": PASSWORD })),
        ),
        "refresh" => {
            let tokens = t.log_in("owner@acme.example", PASSWORD).await.expect(200);
            let body = json!({ "refresh_token": tokens.text("/refresh_token") });
            ("POST", "/v1/auth/refresh", Some(body))
        }
        "logout" => ("POST", "/v1/auth/logout", None),
        "update_me" => ("PATCH", "/v1/me", Some(json!({ "name": "Another Name" }))),
        "change_password" => {
            let body =
                json!({ "current_password": PASSWORD, "new_password": "another four words here" });
            ("POST", "/v1/me/password", Some(body))
        }
        // The session depends on the caller: the test of allowed callers replaces it.
        "revoke_my_session" => ("DELETE", "/v1/me/sessions/sess_01k7fgpr00e00800000000000g", None),
        "create_org" => {
            ("POST", "/v1/orgs", Some(json!({ "name": "Umbrella", "slug": "umbrella" })))
        }
        _ => return None,
    };
    Some((method, path.to_owned(), body))
}

/// Operations in an org, except for reads without further parameters.
async fn in_org(t: &App, id: &str, org: &str) -> Option<Request> {
    let org = format!("/v1/orgs/{org}");
    let member =
        || async { format!("{org}/members/{}", t.member_id("acme", "viewer@acme.example").await) };
    Some(match id {
        "update_org" => ("PATCH", org, Some(json!({ "name": "Another Name" }))),
        "delete_org" => {
            ("POST", format!("{org}/deletion"), Some(json!({ "confirm_slug": "acme" })))
        }
        "read_member" => ("GET", member().await, None),
        "change_member_role" => ("PATCH", member().await, Some(json!({ "role": "member" }))),
        "remove_member" => ("DELETE", member().await, None),
        "read_org_impersonation" => {
            ("GET", format!("{org}/impersonations/{}", impersonation_in_acme(t).await), None)
        }
        "update_settings" => (
            "PATCH",
            format!("{org}/settings"),
            Some(json!({ "branding": { "color": "#123456" } })),
        ),
        _ => return None,
    })
}

/// ID of an impersonation in acme, which is started if there is none.
async fn impersonation_in_acme(t: &App) -> String {
    let in_acme =
        "FROM impersonation i JOIN organization o ON o.id = i.org_id WHERE o.slug = 'acme'";
    if t.db.count(&format!("SELECT count(*) {in_acme}")).await == 0 {
        let engineer = t.sign_in("eng@postern.example").await;
        t.impersonate(&engineer, "viewer@acme.example", "acme", "read_only").await;
    }
    let id = t.db.uuid(&format!("SELECT i.id {in_acme} ORDER BY i.id LIMIT 1")).await;
    ImpersonationId::new(id).to_string()
}

/// Paths of an event, and of the parts of a transparency log. Adds all events to their logs.
async fn log_path(t: &App, id: &str, org: &str) -> Option<String> {
    let org_log = format!("/v1/orgs/{org}/audit-log");
    let platform_log = "/v1/admin/audit-log";
    Some(match id {
        "read_audit_event" => {
            format!("/v1/orgs/{org}/audit-events/{}", sequenced_event(t, "org.created").await)
        }
        "read_log_proof" => {
            format!("{org_log}/proof?event={}", sequenced_event(t, "org.created").await)
        }
        "read_log_tile" => {
            t.sequence().await;
            format!("{org_log}/tile/0/000.p/1")
        }
        "read_log_entries" => {
            t.sequence().await;
            format!("{org_log}/tile/entries/000.p/1")
        }
        "read_platform_log_proof" => {
            let event = sequenced_event(t, "auth.login_succeeded").await;
            format!("{platform_log}/proof?event={event}")
        }
        "read_platform_log_tile" => {
            sequenced_event(t, "auth.login_succeeded").await;
            format!("{platform_log}/tile/0/000.p/1")
        }
        "read_platform_log_entries" => {
            sequenced_event(t, "auth.login_succeeded").await;
            format!("{platform_log}/tile/entries/000.p/1")
        }
        _ => return None,
    })
}

/// Operations of staff, except for reads.
async fn admin(t: &App, id: &str) -> Option<Request> {
    Some(match id {
        "start_impersonation" => {
            let target = t.user_id("member@acme.example").await;
            let body = json!({
                "target_user_id": target, "org": "acme", "reason": REASON, "ticket_ref": "SUP-1",
            });
            ("POST", "/v1/admin/impersonations".to_owned(), Some(body))
        }
        // The test of allowed callers replaces the id.
        "read_impersonation" => ("GET", UNKNOWN_IMPERSONATION.to_owned(), None),
        "end_impersonation" => ("DELETE", UNKNOWN_IMPERSONATION.to_owned(), None),
        "set_staff_tier" => {
            let user = t.user_id("viewer@globex.example").await;
            let body = json!({ "tier": "support", "reason": REASON, "ticket_ref": "HR-1" });
            ("PUT", format!("/v1/admin/staff/{user}"), Some(body))
        }
        "remove_staff" => {
            let support = t.user_id("support@postern.example").await;
            let body = json!({ "reason": REASON, "ticket_ref": "HR-1" });
            ("POST", format!("/v1/admin/staff/{support}/removal"), Some(body))
        }
        _ => return None,
    })
}

/// ID of an event of acme or of the platform with this action. The event is in its log on return.
async fn sequenced_event(t: &App, action: &str) -> String {
    let events = t.events(&format!("action={action}")).await;
    t.sequence().await;
    let event = events
        .iter()
        .find(|event| event["org"].is_null() || event["org"]["slug"] == "acme")
        .expect("an event with this action exists");
    event["id"].as_str().expect("id is a string").to_owned()
}
