//! Policy of an operation as text.

use postern_domain::{
    operation::{Impersonated, Operation, Records},
    role::Role,
    scope::ScopeKind,
    tier::Tier,
};

/// Text for the `x-` fields of an operation, for readers of the document in Swagger UI.
pub fn of(row: &Operation) -> String {
    let mut text = format!("**Access:** {}.", access(row));
    text += &records(row.records);
    if !row.demands.is_empty() {
        let demands: Vec<_> =
            row.demands.iter().map(|demand| demand.name().replace('_', " ")).collect();
        text += &format!(" **Requires:** {}.", demands.join(", "));
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

fn access(row: &Operation) -> String {
    let and_above = |is_highest: bool| if is_highest { "" } else { " and above" };
    match (row.scope, row.needs) {
        (ScopeKind::Public, _) => "public".to_owned(),
        (ScopeKind::Org, Some(needed)) => {
            let lowest = needed.lowest_role().unwrap_or(Role::Owner);
            format!("members with `{needed}` ({lowest}{})", and_above(lowest == Role::Owner))
        }
        (ScopeKind::Staff, Some(needed)) => {
            let lowest = needed.lowest_tier().unwrap_or(Tier::SuperAdmin);
            format!("staff with `{needed}` ({lowest}{})", and_above(lowest == Tier::SuperAdmin))
        }
        _ => "signed-in users".to_owned(),
    }
}

fn records(records: Records) -> String {
    let actions: Vec<_> = records.actions().iter().map(|action| format!("`{action}`")).collect();
    let actions = actions.join(" or ");
    match records {
        Records::Nothing => String::new(),
        Records::Always(_) => format!(" **Records:** {actions}."),
        Records::InOwnTx(_) => format!(" **Records:** {actions}, as described above."),
        Records::OnAnomaly(_) => {
            format!(" **Records:** {actions}, only in the case described above.")
        }
    }
}
