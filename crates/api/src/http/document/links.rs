//! Links (OpenAPI 3.1, 4.8.20): operations that take values of a response as parameters. For
//! readers, and for programs that follow links. No link leads to an operation that removes an org,
//! a member or a staff member.

use serde_json::{Map, Value, json};

/// Source operation, its success status, target operations, and their parameters as expressions
/// over the response or the request.
type Link =
    (&'static str, &'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const LINKS: [Link; 15] = [
    (
        "create_org",
        "201",
        &["read_org", "read_settings", "read_dashboard", "list_members"],
        &[("org", "$response.body#/id")],
    ),
    (
        "list_my_orgs",
        "200",
        &["read_org", "read_settings", "list_features", "list_members", "list_audit_events"],
        &[("org", "$response.body#/data/0/org/id")],
    ),
    (
        "read_org",
        "200",
        &["read_dashboard", "list_org_impersonations"],
        &[("org", "$response.body#/id")],
    ),
    (
        "read_settings",
        "200",
        &["update_settings"],
        &[("org", "$request.path.org"), ("If-Match", "$response.header.ETag")],
    ),
    (
        "list_members",
        "200",
        &["read_member", "change_member_role"],
        &[("org", "$request.path.org"), ("member", "$response.body#/data/0/id")],
    ),
    (
        "list_features",
        "200",
        &["read_feature"],
        &[("org", "$request.path.org"), ("key", "$response.body#/data/0/key")],
    ),
    (
        "list_audit_events",
        "200",
        &["read_audit_event"],
        &[("org", "$request.path.org"), ("event", "$response.body#/data/0/id")],
    ),
    (
        "list_audit_events",
        "200",
        &["read_log_proof"],
        &[("org", "$request.path.org"), ("query.event", "$response.body#/data/0/id")],
    ),
    (
        "list_platform_audit_events",
        "200",
        &["read_platform_log_proof"],
        &[("query.event", "$response.body#/data/0/id")],
    ),
    (
        "start_impersonation",
        "201",
        &["end_impersonation"],
        &[("impersonation", "$response.body#/impersonation/id")],
    ),
    (
        "list_impersonations",
        "200",
        &["end_impersonation"],
        &[("impersonation", "$response.body#/data/0/id")],
    ),
    // To the next page, for lists without filters.
    (
        "list_org_impersonations",
        "200",
        &["list_org_impersonations"],
        &[("org", "$request.path.org"), ("cursor", "$response.body#/next_cursor")],
    ),
    ("list_my_orgs", "200", &["list_my_orgs"], &[("cursor", "$response.body#/next_cursor")]),
    (
        "list_my_sessions",
        "200",
        &["list_my_sessions"],
        &[("cursor", "$response.body#/next_cursor")],
    ),
    ("list_staff", "200", &["list_staff"], &[("cursor", "$response.body#/next_cursor")]),
];

/// Adds the links of one operation.
pub fn add(operation: &mut Value) {
    for (from, status, targets, parameters) in LINKS {
        if operation["operationId"] != from {
            continue;
        }
        let parameters: Map<String, Value> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        for to in targets {
            operation["responses"][status]["links"][to] =
                json!({ "operationId": to, "parameters": parameters });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_from_and_to_operations() {
        let routes = crate::routes();
        let is_operation = |id: &str| routes.mounted().iter().any(|mounted| mounted.row.id == id);
        for (from, _, targets, _) in LINKS {
            assert!(is_operation(from) && targets.iter().all(|to| is_operation(to)), "{from}");
        }
    }
}
