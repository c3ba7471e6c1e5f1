//! The server's login: no attributes but LOGIN, no ownership, and memberships in the tenant and
//! platform roles only.

use super::privileges;
use crate::rls::{
    catalog::{Catalog, Role},
    types::{Check, Fault, RUN_MIGRATE, Roles, quoted},
};

const USE_DEDICATED_LOGIN: &str =
    "set a dedicated login in database.url; `postern migrate` creates it";

pub fn check(catalog: &Catalog, roles: &Roles, faults: &mut Vec<Fault>) {
    let Some(login) = catalog.role(&roles.login) else {
        let detail = format!("the role {} does not exist", roles.login);
        faults.push(Fault::new(Check::Login, detail, RUN_MIGRATE));
        return;
    };
    check_attributes(login, faults);
    check_ownership(catalog, login, faults);
    for role in [&roles.tenant, &roles.platform] {
        check_membership(catalog, login, role, faults);
    }
    check_other_memberships(catalog, roles, faults);
    privileges::check_schema(catalog, &login.name, Check::Login, faults);
}

fn check_attributes(login: &Role, faults: &mut Vec<Fault>) {
    if login.attributes == "LOGIN" {
        return;
    }
    faults.push(Fault::new(
        Check::Login,
        format!(
            "{}, the server's login, has the attributes {}; it must have LOGIN only, \
             so that row-level security applies to it",
            login.name,
            login.attributes_or_none()
        ),
        format!(
            "{USE_DEDICATED_LOGIN}, or: ALTER ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE \
             NOCREATEDB NOREPLICATION NOINHERIT",
            quoted(&login.name)
        ),
    ));
}

fn check_ownership(catalog: &Catalog, login: &Role, faults: &mut Vec<Fault>) {
    let owned: Vec<&str> = catalog
        .relations
        .iter()
        .filter(|relation| relation.owner == login.name)
        .map(|relation| relation.name.as_str())
        .collect();
    if !owned.is_empty() {
        faults.push(Fault::new(
            Check::Login,
            format!(
                "{} owns {}: an owner can disable row-level security",
                login.name,
                owned.join(", ")
            ),
            USE_DEDICATED_LOGIN,
        ));
    }
}

/// Checks that the login can SET ROLE to `role` and has no other use of the membership.
fn check_membership(catalog: &Catalog, login: &Role, role: &str, faults: &mut Vec<Fault>) {
    let membership = catalog.membership(&login.name, role);
    let grant = format!("GRANT {} TO {}", quoted(role), quoted(&login.name));
    let can_set_role = membership.is_some_and(|membership| membership.set_option);
    if !can_set_role && !login.is_superuser() {
        let detail = format!("{} cannot SET ROLE to {role}", login.name);
        faults.push(Fault::new(Check::Login, detail, grant.as_str()));
    }
    if membership.is_some_and(|membership| membership.inherits || membership.admin_option) {
        faults.push(Fault::new(
            Check::Login,
            format!(
                "{} has the privileges of {role} without SET ROLE, or can grant membership in it \
                 (ADMIN OPTION)",
                login.name
            ),
            format!(
                "REVOKE {} FROM {}; {grant}; on PostgreSQL 16 and later append \
                 WITH INHERIT FALSE, SET TRUE to the GRANT",
                quoted(role),
                quoted(&login.name)
            ),
        ));
    }
}

fn check_other_memberships(
    catalog: &Catalog,
    Roles { tenant, platform, login, .. }: &Roles,
    faults: &mut Vec<Fault>,
) {
    let others = catalog.memberships.iter().filter(|membership| {
        membership.member == *login && membership.role != *tenant && membership.role != *platform
    });
    for membership in others {
        let role = &membership.role;
        faults.push(Fault::new(
            Check::Login,
            format!("{login} is a member of {role}; only {tenant} and {platform} are allowed"),
            format!("REVOKE {} FROM {}", quoted(role), quoted(login)),
        ));
    }
}
