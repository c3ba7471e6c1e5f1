//! Keys and defaults through which one org could reference, or detect, rows of another.

use crate::rls::{
    catalog::Catalog,
    tables::{TenantRows, UNIQUE_ACROSS_ORGS, rules_of},
    types::{Check, Fault, quoted},
};

pub fn check(catalog: &Catalog, faults: &mut Vec<Fault>) {
    check_foreign_keys(catalog, faults);
    check_unique_keys(catalog, faults);
    check_org_columns(catalog, faults);
}

/// Column that holds the org's id in a tenant table.
fn org_column(table: &str) -> Option<&'static str> {
    match rules_of(table)?.tenant.as_ref()?.rows {
        TenantRows::OrgColumn(column) => Some(column),
        TenantRows::OrgUsers => None,
    }
}

fn check_foreign_keys(catalog: &Catalog, faults: &mut Vec<Fault>) {
    for key in &catalog.foreign_keys {
        let (Some(from), Some(to)) = (org_column(&key.from_table), org_column(&key.to_table))
        else {
            continue;
        };
        let mut column_pairs = key.from_columns.split(',').zip(key.to_columns.split(','));
        if !column_pairs.any(|pair| pair == (from, to)) {
            faults.push(Fault::new(
                Check::Keys,
                format!(
                    "the foreign key {} from {} to {} does not include the org",
                    key.name, key.from_table, key.to_table
                ),
                format!(
                    "replace it with a composite key that pairs {}.{from} with {}.{to}",
                    key.from_table, key.to_table
                ),
            ));
        }
    }
}

fn check_unique_keys(catalog: &Catalog, faults: &mut Vec<Fault>) {
    for key in &catalog.unique_keys {
        let Some(org) = org_column(&key.table) else { continue };
        let name = format!("{}.{}", key.table, key.columns);
        let permitted = UNIQUE_ACROSS_ORGS.iter().any(|(key, _)| *key == name);
        if key.columns.split(',').next() != Some(org) && !permitted {
            faults.push(Fault::new(
                Check::Keys,
                format!(
                    "{name} is unique across all orgs: a conflict would reveal a row of another org"
                ),
                format!("make {org} the first column of the key"),
            ));
        }
    }
}

fn check_org_columns(catalog: &Catalog, faults: &mut Vec<Fault>) {
    for column in &catalog.org_columns {
        let table = &column.table;
        if column.has_default {
            faults.push(Fault::new(
                Check::Keys,
                format!("{table}.org_id has a default: a row could be inserted without its org"),
                format!("ALTER TABLE {} ALTER org_id DROP DEFAULT", quoted(table)),
            ));
        }
        // Tables without any rules are reported as unknown.
        if rules_of(table).is_some_and(|rules| rules.tenant.is_none()) {
            faults.push(Fault::new(
                Check::Keys,
                format!("{table} has an org_id and no rules for the tenant role"),
                "add the tenant's rows to migration/src/rls/tables.rs",
            ));
        }
    }
}
