//! Text search in columns.

use sea_orm::{
    DbBackend,
    sea_query::{Expr, ExprTrait},
};

use crate::backend::text_pattern;

/// Condition that the column contains `text`, ignoring case. The pattern lists the characters of
/// both cases, so that both databases compare alike, whatever their locale. Wildcards in `text`
/// match literally.
pub(crate) fn contains(backend: DbBackend, column: Expr, text: &str) -> Expr {
    let (operator, pattern) = text_pattern(backend, text);
    column.binary(operator, Expr::val(pattern))
}
