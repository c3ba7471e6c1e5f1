//! What the `x-` fields say, for people.

use postern_domain::operation::{Operation, Records, ScopeKind};

/// What the `x-` fields say, for people who read the document in Swagger UI.
pub fn of(row: &Operation) -> String {
    let mut words = match (row.scope, row.needs) {
        (ScopeKind::Public, _) => "**Who:** anybody.".to_owned(),
        (ScopeKind::InOrg, Some(needed)) => {
            format!("**Who:** members with `{needed}`, that is from {} up.", needed.lowest_role().map_or("owner", |role| role.name()))
        }
        (ScopeKind::Staff, Some(needed)) => {
            format!("**Who:** staff with `{needed}`, that is from {} up.", needed.lowest_tier().map_or("super_admin", |tier| tier.name()))
        }
        _ => "**Who:** anybody signed in.".to_owned(),
    };
    let actions = row.records.actions().iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(" or ");
    match row.records {
        Records::Nothing => {}
        Records::Always(_) => words += &format!(" **Records:** {actions}."),
        Records::Aside(_) => words += &format!(" **Records:** {actions}, when more is read than one's own, or a file is taken along."),
        Records::OnlyIf(_) => words += &format!(" **Records:** {actions}, only when something is wrong."),
    }
    if !row.demands.is_empty() {
        let demands = row.demands.iter().map(|demand| demand.name().replace('_', " ")).collect::<Vec<_>>().join(", ");
        words += &format!(" **Demands:** {demands}.");
    }
    if row.scope != ScopeKind::Public {
        words += &format!(" **Under impersonation:** {}.", row.impersonated.name());
    }
    if let Some(going) = row.going {
        words += &format!(" **Going:** since {}, and gone from {} on. Use `{}` instead.", going.since, going.until, going.instead);
    }
    words
}
