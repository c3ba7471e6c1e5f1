//! The wall between tenants in PostgreSQL: roles, grants and row-level security, as one table that is both put up and checked.
//!
//! The schema belongs to an owner that no server uses. The server signs in as a login that may do nothing by itself, and becomes, inside
//! a transaction only, the platform's role or a tenant's; a tenant's sees the rows of the org in `postern.org_id` and no others.
//! SQLite has no roles: there the scope of each query is the only wall. Tests: `tests/suite/wall.rs` and `damage.rs`.

mod apply;
mod catalog;
mod examine;
mod tables;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};

pub use apply::{ApplyOutcome, apply};
pub use examine::Fault;
pub use tables::{APPEND_ONLY, MIGRATIONS};

/// The names that the wall is put up with; they are those of the whole cluster, not of one database.
#[derive(Debug, Clone)]
pub struct Roles {
    /// What a transaction becomes for one org.
    pub tenant: String,
    /// What it becomes for staff, sign-in and workers.
    pub platform: String,
    /// Whom the tables of the record belong to. Nobody signs in as it; the owner of the schema becomes it to remove what has to go.
    pub audit_owner: String,
    /// Whom the server signs in as.
    pub login: String,
}

/// All that is not as it has to be, in the database that `db` is signed in to; `db` needs no rights for it.
pub async fn examine(db: &impl ConnectionTrait, roles: &Roles) -> Result<Vec<Fault>, DbErr> {
    let found = catalog::read(db, roles).await?;
    let mut faults = examine::session(&found, roles);
    faults.extend(examine::compare(&found, roles));
    Ok(faults)
}

/// A name as SQL takes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
