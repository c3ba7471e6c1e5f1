//! Every operation of the table, called by every kind of caller. An operation without a scenario in
//! `requests` fails the tests.

use postern_domain::{operation::Operation, role::Role, scope::ScopeKind, tier::Tier};

mod allowed;
mod denied;
mod impersonated;
mod requests;

pub use self::requests::request;

/// Operations without a scenario. Do not add to this list.
const EXEMPT: &[&str] = &[];

fn operations() -> impl Iterator<Item = &'static Operation> {
    postern_api::operations::TABLE.iter().copied().filter(|row| !EXEMPT.contains(&row.id))
}

/// E-mail addresses of the demo accounts that may call the operation, or may not.
fn callers(row: &Operation, allowed: bool) -> Vec<String> {
    match (row.scope, row.needs) {
        (ScopeKind::Org, Some(needed)) => Role::ALL
            .iter()
            .filter(|role| needed.granted_to_role(**role) == allowed)
            .map(|role| format!("{role}@acme.example"))
            .collect(),
        (ScopeKind::Staff, Some(needed)) => {
            let tiers = Tier::ALL.iter().filter(|tier| needed.granted_to_tier(**tier) == allowed);
            let customer = (!allowed).then(|| "owner@acme.example".to_owned());
            tiers.map(|tier| staff_email(*tier)).chain(customer).collect()
        }
        _ if allowed => {
            vec!["member@acme.example".to_owned(), "support@postern.example".to_owned()]
        }
        _ => Vec::new(),
    }
}

fn staff_email(tier: Tier) -> String {
    let name = match tier {
        Tier::Support => "support",
        Tier::Operations => "ops",
        Tier::Engineering => "eng",
        Tier::SuperAdmin => "super",
    };
    format!("{name}@postern.example")
}
