//! Text search in columns.

use sea_orm::sea_query::{BinOper, Expr, ExprTrait, Func};

/// Condition that the column contains `text`, ignoring case. The database folds both sides, so that
/// they agree. SQLite, and PostgreSQL in the C locale, fold only ASCII. Wildcards in `text` match
/// literally.
pub(crate) fn contains(column: Expr, text: &str) -> Expr {
    let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let pattern = Expr::expr(Func::lower(Expr::val(format!("%{escaped}%"))));
    Expr::expr(Func::lower(column))
        .binary(BinOper::Like, pattern.binary(BinOper::Escape, Expr::Constant('!'.into())))
}
