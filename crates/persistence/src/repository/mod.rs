//! What can be asked of the store, a file for each subject. Repositories borrow a transaction; those of an org are made
//! with its id, so that no query of theirs can be written without it.

pub mod accounts;
pub mod chores;
pub mod credentials;
pub mod events;
pub mod features;
pub mod figures;
pub mod idempotency;
pub mod impersonations;
pub mod members;
pub mod orgs;
pub mod page;
pub mod sessions;
pub mod settings;
pub mod staff;
pub mod users;

use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, SimpleExpr};

/// Does the column contain `text`, whatever the case? Wildcards in `text` stand for themselves.
fn contains(column: Expr, text: &str) -> SimpleExpr {
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    Expr::expr(Func::lower(column)).like(LikeExpr::new(format!("%{escaped}%")).escape('\\'))
}
