//! What can be asked of the store, a file for each subject. Repositories borrow a transaction; those of an org are made
//! with its id, so that no query of theirs can be written without it.

pub mod accounts;
pub mod credentials;
pub mod event_filter;
pub mod events;
pub mod features;
pub mod idempotency;
pub mod impersonations;
pub mod log;
pub mod members;
pub mod org_stats;
pub mod orgs;
pub mod page;
pub mod retention;
pub mod sessions;
pub mod settings;
pub mod staff;
pub mod unaudited;
pub mod users;

use sea_orm::sea_query::{BinOper, Expr, ExprTrait, Func};

/// Does the column contain `text`, whatever the case? Both sides are folded by the database, so that they agree; SQLite, and
/// PostgreSQL in the locale C, fold ASCII alone. Wildcards in `text` stand for themselves.
pub(crate) fn contains(column: Expr, text: &str) -> Expr {
    let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let pattern = Expr::expr(Func::lower(Expr::val(format!("%{escaped}%"))));
    Expr::expr(Func::lower(column))
        .binary(BinOper::Like, pattern.binary(BinOper::Escape, Expr::Constant('!'.into())))
}
