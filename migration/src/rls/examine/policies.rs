//! Row-level security policies.

use std::collections::BTreeSet;

use crate::rls::{
    catalog::{Catalog, Policy},
    tables::{AuditOwnerAccess, TABLES},
    types::{Check, Fault, RUN_MIGRATE, Roles},
};

pub fn check(catalog: &Catalog, roles: &Roles, faults: &mut Vec<Fault>) {
    let expected = expected_policies(roles);
    let actual: BTreeSet<_> = catalog.policies.iter().map(describe_actual).collect();
    for missing in expected.difference(&actual) {
        let detail = format!("missing or altered policy: {missing}");
        faults.push(Fault::new(Check::Policies, detail, RUN_MIGRATE));
    }
    for unexpected in actual.difference(&expected) {
        let detail = format!("unexpected or altered policy: {unexpected}");
        faults.push(Fault::new(Check::Policies, detail, RUN_MIGRATE));
    }
}

fn expected_policies(Roles { tenant, platform, audit_owner, .. }: &Roles) -> BTreeSet<String> {
    let mut expected = BTreeSet::new();
    for rules in TABLES {
        expected.insert(describe(rules.table, "platform", platform, "true"));
        if !matches!(rules.audit_owner, AuditOwnerAccess::None) {
            expected.insert(describe(rules.table, "audit_owner", audit_owner, "true"));
        }
        if let Some(access) = &rules.tenant {
            expected.insert(describe(rules.table, "tenant", tenant, &access.rows.condition()));
        }
    }
    expected
}

fn describe(table: &str, policy: &str, roles: &str, condition: &str) -> String {
    format!("{policy} on {table} to {roles}: {condition}")
}

fn describe_actual(policy: &Policy) -> String {
    let normalize_spaces = |expression: &Option<String>| {
        expression.as_deref().unwrap_or("none").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (using, check) = (normalize_spaces(&policy.using), normalize_spaces(&policy.check));
    let condition = if policy.permissive && policy.command == "*" && using == check {
        using
    } else {
        let kind = if policy.permissive { "permissive" } else { "restrictive" };
        let command = command_name(&policy.command);
        format!("{kind}, FOR {command}, USING {using}, WITH CHECK {check}")
    };
    describe(&policy.table, &policy.name, &policy.roles, &condition)
}

fn command_name(polcmd: &str) -> &'static str {
    match polcmd {
        "r" => "SELECT",
        "a" => "INSERT",
        "w" => "UPDATE",
        "d" => "DELETE",
        _ => "ALL",
    }
}
