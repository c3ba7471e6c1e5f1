//! Triggers of append-only tables.

use crate::{
    backend::APPEND_ONLY_BODY,
    rls::{
        catalog::{Catalog, Trigger},
        tables::APPEND_ONLY,
        types::{Check, Fault, RUN_MIGRATE, quoted},
    },
};

/// `pg_trigger.tgtype` of BEFORE UPDATE OR DELETE … FOR EACH ROW.
const BEFORE_UPDATE_OR_DELETE_ROW: i16 = 27;
/// `pg_trigger.tgtype` of BEFORE TRUNCATE.
const BEFORE_TRUNCATE: i16 = 34;

pub fn check(catalog: &Catalog, faults: &mut Vec<Fault>) {
    check_unexpected(catalog, faults);
    let tables = APPEND_ONLY.iter().map(|(table, _)| (*table, *table));
    let partitions = catalog
        .partitions
        .iter()
        .map(|partition| (partition.table.as_str(), partition.name.as_str()));
    for (table, relation) in tables.chain(partitions) {
        for (name, kind) in expected_triggers(table) {
            if !catalog.triggers.iter().any(|trigger| is_intact(trigger, relation, &name, kind)) {
                faults.push(Fault::new(
                    Check::Triggers,
                    format!(
                        "the trigger {name} on {relation} is missing, disabled or altered: audit \
                         rows could be changed undetected"
                    ),
                    RUN_MIGRATE,
                ));
            }
        }
    }
}

fn expected_triggers(table: &str) -> [(String, i16); 2] {
    [
        (format!("{table}_no_update_delete"), BEFORE_UPDATE_OR_DELETE_ROW),
        (format!("{table}_no_truncate"), BEFORE_TRUNCATE),
    ]
}

fn is_intact(trigger: &Trigger, relation: &str, name: &str, kind: i16) -> bool {
    trigger.table == relation
        && trigger.name == name
        && trigger.kind == kind
        && trigger.unconditional
        // Enabled in sessions with the default `session_replication_role`, or always.
        && ["O", "A"].contains(&trigger.enabled.as_str())
        && trigger.source.trim() == APPEND_ONLY_BODY
}

fn check_unexpected(catalog: &Catalog, faults: &mut Vec<Fault>) {
    let expected: Vec<String> = APPEND_ONLY
        .iter()
        .flat_map(|(table, _)| expected_triggers(table))
        .map(|(name, _)| name)
        .collect();
    for Trigger { name, table, .. } in
        catalog.triggers.iter().filter(|trigger| !expected.contains(&trigger.name))
    {
        faults.push(Fault::new(
            Check::Triggers,
            format!("unexpected trigger {name} on {table}: it could change or suppress writes"),
            format!("DROP TRIGGER {} ON {}", quoted(name), quoted(table)),
        ));
    }
}
