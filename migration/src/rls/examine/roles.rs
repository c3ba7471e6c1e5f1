//! The tenant, platform and audit owner roles: no attributes, no memberships in other roles, and no
//! unexpected members.

use super::privileges;
use crate::rls::{
    catalog::{Catalog, Role},
    types::{Check, Fault, RUN_MIGRATE, Roles, quoted},
};

pub fn check(
    catalog: &Catalog,
    Roles { tenant, platform, audit_owner, login }: &Roles,
    faults: &mut Vec<Fault>,
) {
    for name in [tenant, platform, audit_owner] {
        let Some(role) = catalog.role(name) else {
            faults.push(Fault::new(
                Check::Roles,
                format!("the role {name} does not exist"),
                RUN_MIGRATE,
            ));
            continue;
        };
        check_attributes(role, faults);
        check_memberships(catalog, name, faults);
        let expected_member =
            if name == audit_owner { catalog.schema_owner() } else { Some(login.as_str()) };
        check_members(catalog, name, expected_member, faults);
        if name != audit_owner {
            privileges::check_schema(catalog, name, Check::Roles, faults);
        }
    }
}

fn check_attributes(role: &Role, faults: &mut Vec<Fault>) {
    if !role.attributes.is_empty() {
        faults.push(Fault::new(
            Check::Roles,
            format!("{} has the attributes {}; it must have none", role.name, role.attributes),
            format!(
                "ALTER ROLE {} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION \
                 NOINHERIT NOLOGIN",
                quoted(&role.name)
            ),
        ));
    }
}

/// Checks that `role` is not a member of any role.
fn check_memberships(catalog: &Catalog, role: &str, faults: &mut Vec<Fault>) {
    for membership in catalog.memberships.iter().filter(|membership| membership.member == role) {
        let parent = &membership.role;
        faults.push(Fault::new(
            Check::Roles,
            format!("{role} is a member of {parent}; it must not be a member of any role"),
            format!("REVOKE {} FROM {}", quoted(parent), quoted(role)),
        ));
    }
}

/// Checks that only `expected_member` can use `role`.
fn check_members(
    catalog: &Catalog,
    role: &str,
    expected_member: Option<&str>,
    faults: &mut Vec<Fault>,
) {
    let unexpected_members = catalog
        .memberships
        .iter()
        .filter(|membership| membership.role == role)
        .filter(|membership| Some(membership.member.as_str()) != expected_member)
        .filter(|membership| membership.set_option || membership.inherits);
    for membership in unexpected_members {
        let member = &membership.member;
        faults.push(Fault::new(
            Check::Roles,
            format!("unexpected member of {role}: {member}"),
            format!("REVOKE {} FROM {}", quoted(role), quoted(member)),
        ));
    }
}
