//! Privileges on tables, the schema and the database.

use std::{collections::BTreeSet, fmt};

use crate::rls::{
    catalog::Catalog,
    tables::{AuditOwnerAccess, MIGRATIONS, Privilege, TABLES},
    types::{Check, Fault, RUN_MIGRATE, Roles, quoted},
};

/// The only value of `SchemaPrivileges::privileges` that is allowed.
const SCHEMA_USAGE: &str = "USAGE on the schema";

/// A privilege of a role on a table, or on one of its columns.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct TablePrivilege<'a> {
    table: &'a str,
    column: Option<&'a str>,
    role: &'a str,
    name: &'a str,
}

impl fmt::Display for TablePrivilege<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, column, role, name } = self;
        match column {
            Some(column) => write!(f, "{name} ({column}) on {table} to {role}"),
            None => write!(f, "{name} on {table} to {role}"),
        }
    }
}

pub fn check(catalog: &Catalog, roles: &Roles, faults: &mut Vec<Fault>) {
    let Roles { tenant, platform, audit_owner, login } = roles;
    let checked_roles = ["PUBLIC", tenant, platform, audit_owner, login];
    let grants: Vec<_> = catalog
        .grants
        .iter()
        .filter(|grant| checked_roles.contains(&grant.grantee.as_str()))
        .collect();
    let actual: BTreeSet<_> = grants
        .iter()
        .map(|grant| TablePrivilege {
            table: &grant.table,
            column: grant.column.as_deref(),
            role: &grant.grantee,
            name: &grant.privilege,
        })
        .collect();
    let expected = expected_privileges(roles);
    for missing in expected.difference(&actual) {
        faults.push(Fault::new(Check::Grants, format!("missing grant: {missing}"), RUN_MIGRATE));
    }
    for excess in actual.difference(&expected) {
        faults.push(Fault::new(Check::Grants, format!("unexpected grant: {excess}"), RUN_MIGRATE));
    }
    for grant in grants.iter().filter(|grant| grant.grantable) {
        faults.push(Fault::new(
            Check::Grants,
            format!(
                "{} can grant {} on {} to others (WITH GRANT OPTION)",
                grant.grantee, grant.privilege, grant.table
            ),
            RUN_MIGRATE,
        ));
    }
}

fn expected_privileges(
    Roles { tenant, platform, audit_owner, .. }: &Roles,
) -> BTreeSet<TablePrivilege<'_>> {
    let select_migrations =
        TablePrivilege { table: MIGRATIONS, column: None, role: platform, name: "SELECT" };
    let mut expected = BTreeSet::from([select_migrations]);
    for rules in TABLES {
        expected.extend(each_column(rules.table, platform, rules.platform));
        if let AuditOwnerAccess::Grants(privileges) = rules.audit_owner {
            expected.extend(each_column(rules.table, audit_owner, privileges));
        }
        if let Some(access) = &rules.tenant {
            expected.extend(each_column(rules.table, tenant, access.privileges));
        }
    }
    expected
}

fn each_column<'a>(
    table: &'a str,
    role: &'a str,
    privileges: &'a [Privilege],
) -> impl Iterator<Item = TablePrivilege<'a>> {
    privileges.iter().flat_map(move |privilege| {
        let columns = if privilege.columns.is_empty() {
            vec![None]
        } else {
            privilege.columns.iter().copied().map(Some).collect()
        };
        let name = privilege.name;
        columns.into_iter().map(move |column| TablePrivilege { table, column, role, name })
    })
}

/// Checks that a role can use the schema and cannot create objects in the schema or the database.
pub fn check_schema(catalog: &Catalog, role: &str, check: Check, faults: &mut Vec<Fault>) {
    let privileges = catalog
        .schema_privileges
        .iter()
        .find(|privileges| privileges.role == role)
        .map_or("", |privileges| privileges.privileges.as_str());
    if privileges == SCHEMA_USAGE || catalog.is_superuser(role) {
        return;
    }
    let remedy = if privileges.contains("on the database") {
        format!(
            "{RUN_MIGRATE}, or as the owner of the database: \
             REVOKE CREATE, TEMPORARY ON DATABASE {} FROM PUBLIC, {}",
            quoted(&catalog.session.database),
            quoted(role)
        )
    } else {
        RUN_MIGRATE.to_owned()
    };
    let privileges = if privileges.is_empty() { "no privileges on the schema" } else { privileges };
    let detail = format!("{role} has {privileges}; it must have {SCHEMA_USAGE} only");
    faults.push(Fault::new(check, detail, remedy));
}
