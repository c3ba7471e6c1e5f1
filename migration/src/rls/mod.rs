//! Row-level security in PostgreSQL: roles, privileges and policies, as one table that is applied
//! and checked.
//!
//! The schema belongs to an owner that the server never uses. The server connects as a login
//! without privileges of its own and, within a transaction only, assumes the platform role or the
//! tenant role. The tenant role can access rows of the org in `postern.org_id` only.
//! SQLite has no roles: there, the scope of each query is the only separation of tenants.
//! Tests: `tests/suite/tenancy/rls` and `tests/suite/tenancy/rls_drift`.

mod apply;
mod catalog;
mod examine;
mod extensions;
mod tables;
mod types;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};

pub use apply::{ApplyOutcome, apply};
pub use extensions::notes;
pub use tables::{APPEND_ONLY, MIGRATIONS};
pub use types::{Check, Fault, Roles};

/// Compares the database with the expected state and returns every difference. `db` is a connection
/// of the server's login and needs no privileges.
pub async fn examine(db: &impl ConnectionTrait, roles: &Roles) -> Result<Vec<Fault>, DbErr> {
    let catalog = catalog::read(db, roles).await?;
    let mut faults = examine::session(&catalog, roles);
    faults.extend(examine::compare(&catalog, roles));
    Ok(faults)
}
