//! Columns of several tables in one row, distinguished by prefixes.

use sea_orm::{IdenStatic, Iterable};

/// `s.id AS s_id, …` for all columns of an entity.
pub(crate) fn all<C: Iterable + IdenStatic>(alias: &str) -> String {
    let names: Vec<String> =
        C::iter().map(|column| format!("{alias}.{0} AS {alias}_{0}", column.as_str())).collect();
    names.join(", ")
}
