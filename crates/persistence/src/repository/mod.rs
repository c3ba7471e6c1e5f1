//! Repositories, one file per subject. They borrow a transaction. Repositories of an org are
//! created with its id, so that no query can omit it.

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

/// Condition that the column contains `text`, ignoring case. The database folds both sides, so that
/// they agree. SQLite, and PostgreSQL in the C locale, fold only ASCII. Wildcards in `text` match
/// literally.
pub(crate) fn contains(column: Expr, text: &str) -> Expr {
    let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let pattern = Expr::expr(Func::lower(Expr::val(format!("%{escaped}%"))));
    Expr::expr(Func::lower(column))
        .binary(BinOper::Like, pattern.binary(BinOper::Escape, Expr::Constant('!'.into())))
}
