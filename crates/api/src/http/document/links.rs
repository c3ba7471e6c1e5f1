//! Links (OpenAPI 3.1, 4.8.20): operations that take values of a response as parameters. For
//! readers, and for programs that follow links. No link leads to an operation that removes an org,
//! a member or a staff member.

use postern_domain::operation::Operation;
use serde_json::{Map, Value, json};

use crate::operations::{Op, op};

/// Links from one operation.
struct Link {
    from: &'static Operation,
    /// Status of the response that has the links.
    status: &'static str,
    to: &'static [&'static Operation],
    /// Parameters of the targets, as expressions over the response or the request.
    parameters: &'static [(&'static str, &'static str)],
}

static LINKS: [Link; 15] = [
    Link {
        from: op::CreateOrg::ROW,
        status: "201",
        to: &[
            op::ReadOrg::ROW,
            op::ReadSettings::ROW,
            op::ReadDashboard::ROW,
            op::ListMembers::ROW,
        ],
        parameters: &[("org", "$response.body#/id")],
    },
    Link {
        from: op::ListMyOrgs::ROW,
        status: "200",
        to: &[
            op::ReadOrg::ROW,
            op::ReadSettings::ROW,
            op::ListFeatures::ROW,
            op::ListMembers::ROW,
            op::ListAuditEvents::ROW,
        ],
        parameters: &[("org", "$response.body#/data/0/org/id")],
    },
    Link {
        from: op::ReadOrg::ROW,
        status: "200",
        to: &[op::ReadDashboard::ROW, op::ListOrgImpersonations::ROW],
        parameters: &[("org", "$response.body#/id")],
    },
    Link {
        from: op::ReadSettings::ROW,
        status: "200",
        to: &[op::UpdateSettings::ROW],
        parameters: &[("org", "$request.path.org"), ("If-Match", "$response.header.ETag")],
    },
    Link {
        from: op::ListMembers::ROW,
        status: "200",
        to: &[op::ReadMember::ROW, op::ChangeMemberRole::ROW],
        parameters: &[("org", "$request.path.org"), ("member", "$response.body#/data/0/id")],
    },
    Link {
        from: op::ListFeatures::ROW,
        status: "200",
        to: &[op::ReadFeature::ROW],
        parameters: &[("org", "$request.path.org"), ("key", "$response.body#/data/0/key")],
    },
    Link {
        from: op::ListAuditEvents::ROW,
        status: "200",
        to: &[op::ReadAuditEvent::ROW],
        parameters: &[("org", "$request.path.org"), ("event", "$response.body#/data/0/id")],
    },
    Link {
        from: op::ListAuditEvents::ROW,
        status: "200",
        to: &[op::ReadLogProof::ROW],
        parameters: &[("org", "$request.path.org"), ("query.event", "$response.body#/data/0/id")],
    },
    Link {
        from: op::ListPlatformAuditEvents::ROW,
        status: "200",
        to: &[op::ReadPlatformLogProof::ROW],
        parameters: &[("query.event", "$response.body#/data/0/id")],
    },
    Link {
        from: op::StartImpersonation::ROW,
        status: "201",
        to: &[op::ReadImpersonation::ROW, op::EndImpersonation::ROW],
        parameters: &[("impersonation", "$response.body#/impersonation/id")],
    },
    Link {
        from: op::ListImpersonations::ROW,
        status: "200",
        to: &[op::ReadImpersonation::ROW, op::EndImpersonation::ROW],
        parameters: &[("impersonation", "$response.body#/data/0/id")],
    },
    Link {
        from: op::ListOrgImpersonations::ROW,
        status: "200",
        to: &[op::ReadOrgImpersonation::ROW],
        parameters: &[("org", "$request.path.org"), ("impersonation", "$response.body#/data/0/id")],
    },
    // To the next page, for lists without filters.
    Link {
        from: op::ListMyOrgs::ROW,
        status: "200",
        to: &[op::ListMyOrgs::ROW],
        parameters: &[("cursor", "$response.body#/next_cursor")],
    },
    Link {
        from: op::ListMySessions::ROW,
        status: "200",
        to: &[op::ListMySessions::ROW],
        parameters: &[("cursor", "$response.body#/next_cursor")],
    },
    Link {
        from: op::ListStaff::ROW,
        status: "200",
        to: &[op::ListStaff::ROW],
        parameters: &[("cursor", "$response.body#/next_cursor")],
    },
];

/// Adds the links of one operation.
pub fn add(operation: &mut Value) {
    for Link { from, status, to, parameters } in &LINKS {
        if operation["operationId"] != from.id {
            continue;
        }
        let parameters: Map<String, Value> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        for target in *to {
            operation["responses"][status]["links"][target.id] =
                json!({ "operationId": target.id, "parameters": parameters });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_the_parameters_of_their_links() {
        let routes = crate::routes::routes();
        for Link { to, parameters, .. } in &LINKS {
            for target in *to {
                let mounted = routes.mounted().iter().find(|mounted| mounted.row.id == target.id);
                let document = &mounted.expect("each operation is mounted").document;
                let operation = serde_json::to_value(document).expect("serializes to JSON");
                let takes = |name: &str| {
                    let name = name.trim_start_matches("query.");
                    let parameters = operation["parameters"].as_array().into_iter().flatten();
                    parameters.into_iter().any(|parameter| parameter["name"] == name)
                };
                for (name, _) in *parameters {
                    assert!(takes(name), "{} has the parameter {name}", target.id);
                }
            }
        }
    }
}
