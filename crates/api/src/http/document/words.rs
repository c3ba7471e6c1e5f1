//! What the `x-` fields say, for people.

use postern_domain::{
    operation::{Operation, Records},
    role::Role,
    scope::ScopeKind,
    staff::Tier,
};

/// What the `x-` fields say, for people who read the document in Swagger UI.
pub fn of(row: &Operation) -> String {
    let mut words = match (row.scope, row.needs) {
        (ScopeKind::Public, _) => "**Who:** anybody.".to_owned(),
        (ScopeKind::Org, Some(needed)) => {
            let lowest = needed.lowest_role().unwrap_or(Role::Owner);
            format!(
                "**Who:** members with `{needed}`, that is {lowest}{}.",
                if lowest == Role::Owner { "" } else { " and above" }
            )
        }
        (ScopeKind::Staff, Some(needed)) => {
            let lowest = needed.lowest_tier().unwrap_or(Tier::SuperAdmin);
            format!(
                "**Who:** staff with `{needed}`, that is {lowest}{}.",
                if lowest == Tier::SuperAdmin { "" } else { " and above" }
            )
        }
        _ => "**Who:** anybody signed in.".to_owned(),
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
        Records::Always(_) => words += &format!(" **Records:** {actions}."),
        Records::InOwnTx(_) => words += &format!(" **Records:** {actions}, as said above."),
        Records::OnAnomaly(_) => {
            words += &format!(" **Records:** {actions}, only when something is wrong.")
        }
    }
    if !row.demands.is_empty() {
        let demands = row
            .demands
            .iter()
            .map(|demand| demand.name().replace('_', " "))
            .collect::<Vec<_>>()
            .join(", ");
        words += &format!(" **Demands:** {demands}.");
    }
    if row.scope != ScopeKind::Public {
        words += &format!(" **Under impersonation:** {}.", row.impersonated.name());
    }
    if let Some(deprecated) = row.deprecated {
        words += &format!(
            " **Deprecation:** since {}, and gone from {} on. Use `{}` instead.",
            deprecated.since, deprecated.sunset, deprecated.successor
        );
    }
    words
}
