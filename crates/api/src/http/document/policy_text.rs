//! Policy of an operation as text.

use postern_domain::{
    operation::{Impersonated, Operation, Records},
    role::Role,
    scope::ScopeKind,
    staff::Tier,
};

/// Text for the `x-` fields of an operation, for readers of the document in Swagger UI.
pub fn of(row: &Operation) -> String {
    let mut text = match (row.scope, row.needs) {
        (ScopeKind::Public, _) => "**Access:** public.".to_owned(),
        (ScopeKind::Org, Some(needed)) => {
            let lowest = needed.lowest_role().unwrap_or(Role::Owner);
            format!(
                "**Access:** members with `{needed}` ({lowest}{}).",
                if lowest == Role::Owner { "" } else { " and above" }
            )
        }
        (ScopeKind::Staff, Some(needed)) => {
            let lowest = needed.lowest_tier().unwrap_or(Tier::SuperAdmin);
            format!(
                "**Access:** staff with `{needed}` ({lowest}{}).",
                if lowest == Tier::SuperAdmin { "" } else { " and above" }
            )
        }
        _ => "**Access:** signed-in users.".to_owned(),
    };
    let actions = row
        .records
        .actions()
        .iter()
        .map(|action| format!("`{action}`"))
        .collect::<Vec<_>>()
        .join(" or ");
    match row.records {
        Records::Nothing => {}
        Records::Always(_) => text += &format!(" **Records:** {actions}."),
        Records::InOwnTx(_) => text += &format!(" **Records:** {actions}, as described above."),
        Records::OnAnomaly(_) => {
            text += &format!(" **Records:** {actions}, only if it detects an anomaly.")
        }
    }
    if !row.demands.is_empty() {
        let demands = row
            .demands
            .iter()
            .map(|demand| demand.name().replace('_', " "))
            .collect::<Vec<_>>()
            .join(", ");
        text += &format!(" **Requires:** {demands}.");
    }
    if row.scope != ScopeKind::Public {
        let rule = match row.impersonated {
            Impersonated::Allowed => "allowed",
            Impersonated::Write => "only with `mode: full`",
            Impersonated::Blocked => "blocked",
        };
        text += &format!(" **Under impersonation:** {rule}.");
    }
    if let Some(deprecated) = row.deprecated {
        text += &format!(
            " **Deprecated** since {}; may be removed from {}. Use `{}` instead.",
            deprecated.since, deprecated.sunset, deprecated.successor
        );
    }
    text
}
