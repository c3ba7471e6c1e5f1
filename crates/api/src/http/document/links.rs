//! Where one can go on from an answer (OpenAPI 3.1, 4.8.20): what stands in it is what the next operation takes. For readers, and for programs that find
//! their way by themselves. What takes something away is not among them.

use serde_json::{Map, Value, json};

/// From which operation, with which good status, to which others; and the parameters that they take out of the answer or the request.
type Link = (&'static str, &'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const LINKS: [Link; 9] = [
    ("create_org", "201", &["read_org", "read_settings", "read_dashboard", "list_members"], &[("org", "$response.body#/id")]),
    (
        "list_my_orgs",
        "200",
        &["read_org", "read_settings", "list_features", "list_org_impersonations"],
        &[("org", "$response.body#/data/0/org/id")],
    ),
    ("list_members", "200", &["read_member"], &[("org", "$request.path.org"), ("member", "$response.body#/data/0/id")]),
    ("list_features", "200", &["read_feature"], &[("org", "$request.path.org"), ("key", "$response.body#/data/0/key")]),
    ("list_audit_events", "200", &["read_audit_event"], &[("org", "$request.path.org"), ("event", "$response.body#/data/0/id")]),
    ("list_audit_events", "200", &["read_log_proof"], &[("org", "$request.path.org"), ("query.event", "$response.body#/data/0/id")]),
    ("list_platform_audit_events", "200", &["read_platform_log_proof"], &[("query.event", "$response.body#/data/0/id")]),
    ("start_impersonation", "201", &["end_impersonation"], &[("impersonation", "$response.body#/impersonation/id")]),
    ("list_impersonations", "200", &["end_impersonation"], &[("impersonation", "$response.body#/data/0/id")]),
];

/// Adds those of one operation.
pub fn add(operation: &mut Value) {
    for (from, status, targets, parameters) in LINKS {
        if operation["operationId"] != from {
            continue;
        }
        let parameters: Map<String, Value> = parameters.iter().map(|(name, taken)| ((*name).to_owned(), json!(taken))).collect();
        for to in targets {
            operation["responses"][status]["links"][to] = json!({ "operationId": to, "parameters": parameters });
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
