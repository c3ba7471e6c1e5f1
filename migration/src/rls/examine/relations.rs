//! Tables, partitions and views: existence, ownership and row-level security.

use crate::rls::{
    catalog::{Catalog, Relation},
    tables::{MIGRATIONS, TABLES, is_audit_table, rules_of},
    types::{Check, Fault, RUN_MIGRATE, Roles, quoted},
};

pub fn check(catalog: &Catalog, roles: &Roles, faults: &mut Vec<Fault>) {
    check_audit_tables(catalog, &roles.audit_owner, faults);
    check_partitions(catalog, faults);
    check_existence(catalog, faults);
    for relation in &catalog.relations {
        match relation.kind.as_str() {
            "v" | "m" | "f" => check_view(relation, faults),
            _ if relation.name == MIGRATIONS => {}
            _ => {
                check_row_security(relation, faults);
                check_owner(catalog, relation, roles, faults);
            }
        }
    }
}

/// Checks that the audit tables and all partitions belong to the audit owner.
fn check_audit_tables(catalog: &Catalog, audit_owner: &str, faults: &mut Vec<Fault>) {
    let tables = catalog
        .relations
        .iter()
        .filter(|relation| is_audit_table(&relation.name))
        .map(|relation| (&relation.name, &relation.owner));
    let partitions = catalog.partitions.iter().map(|partition| (&partition.name, &partition.owner));
    for (name, owner) in tables.chain(partitions).filter(|(_, owner)| *owner != audit_owner) {
        faults.push(Fault::new(
            Check::Tables,
            format!("{name} belongs to {owner}; it must belong to the audit owner, {audit_owner}"),
            RUN_MIGRATE,
        ));
    }
}

/// Checks that no other tables are partitioned.
fn check_partitions(catalog: &Catalog, faults: &mut Vec<Fault>) {
    for partition in catalog.partitions.iter().filter(|part| !is_audit_table(&part.table)) {
        let (table, name) = (&partition.table, &partition.name);
        faults.push(Fault::new(
            Check::Tables,
            format!("{name} is a partition of {table}, which must not be partitioned"),
            format!("ALTER TABLE {} DETACH PARTITION {}", quoted(table), quoted(name)),
        ));
    }
}

fn check_existence(catalog: &Catalog, faults: &mut Vec<Fault>) {
    for rules in TABLES {
        if !catalog.relations.iter().any(|relation| relation.name == rules.table) {
            faults.push(Fault::new(
                Check::Tables,
                format!("the table {} does not exist", rules.table),
                "restore it from a backup and find out who dropped it",
            ));
        }
    }
}

/// Checks a view, materialized view or foreign table.
fn check_view(relation: &Relation, faults: &mut Vec<Fault>) {
    let (name, view) = (&relation.name, quoted(&relation.name));
    let no_rls = |kind: &str| format!("row-level security does not apply to the {kind} {name}");
    let (detail, remedy) = match relation.kind.as_str() {
        "m" => (no_rls("materialized view"), format!("DROP MATERIALIZED VIEW {view}")),
        "f" => (no_rls("foreign table"), format!("DROP FOREIGN TABLE {view}")),
        _ if relation.security_invoker => return,
        _ => (
            format!("the view {name} runs with its owner's privileges"),
            format!("ALTER VIEW {view} SET (security_invoker = true), or DROP VIEW {view}"),
        ),
    };
    faults.push(Fault::new(Check::Views, detail, remedy));
}

fn check_row_security(
    Relation { name, rls_enabled, rls_forced, .. }: &Relation,
    faults: &mut Vec<Fault>,
) {
    if rules_of(name).is_none() {
        faults.push(Fault::new(
            Check::Tables,
            format!("unknown table {name}: it has no row-level security rules"),
            format!("DROP TABLE {}, or add the table to migration/src/rls/tables.rs", quoted(name)),
        ));
    } else if !(*rls_enabled && *rls_forced) {
        faults.push(Fault::new(
            Check::RowSecurity,
            format!("row-level security is not enabled and forced on {name}"),
            RUN_MIGRATE,
        ));
    }
}

/// Checks that a table does not belong to the tenant or platform role, and belongs to the audit
/// owner only if it is an audit table.
fn check_owner(
    catalog: &Catalog,
    Relation { name, owner, .. }: &Relation,
    Roles { tenant, platform, audit_owner, .. }: &Roles,
    faults: &mut Vec<Fault>,
) {
    let unexpected_audit_owner = owner == audit_owner && !is_audit_table(name);
    if owner == tenant || owner == platform || unexpected_audit_owner {
        let schema_owner = catalog.schema_owner().unwrap_or_default();
        faults.push(Fault::new(
            Check::Tables,
            format!("{owner} owns {name}; the schema owner must own it"),
            format!("ALTER TABLE {} OWNER TO {}", quoted(name), quoted(schema_owner)),
        ));
    }
}
