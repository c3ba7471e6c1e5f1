//! Postern's schema. One subject per file; both databases use the same files, and their differences
//! are in [`backend`] alone.

#![cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "migrations use most names of the schema builder")
)]

mod backend;
mod m0001_people;
mod m0002_sessions;
mod m0003_staff;
mod m0004_orgs;
mod m0005_settings;
mod m0006_impersonations;
mod m0007_audit;
mod m0008_idempotency;
mod m0009_instance;
mod m0010_scoped_responses;
mod m0011_lookups;
mod m0012_log;
mod m0013_retention;
mod m0014_audit_lookups;
mod m0015_ticket_lookup;
mod m0016_client_networks;
mod m0017_text_search;
mod m0018_impersonation_lists;
pub mod rls;

use sea_orm_migration::{
    MigrationTrait, MigratorTrait, async_trait,
    sea_orm::{self, ConnectionTrait, DbErr, Statement},
};

pub use backend::{
    TICKET_KEY, append_only_faults, create_partitions_sql, create_sqlite_triggers_sql,
    drop_sqlite_triggers_sql, random_bytes,
};
use rls::{ApplyOutcome, Roles};

/// PostgreSQL schema of all tables.
pub const SCHEMA: &str = "public";

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_people::Migration),
            Box::new(m0002_sessions::Migration),
            Box::new(m0003_staff::Migration),
            Box::new(m0004_orgs::Migration),
            Box::new(m0005_settings::Migration),
            Box::new(m0006_impersonations::Migration),
            Box::new(m0007_audit::Migration),
            Box::new(m0008_idempotency::Migration),
            Box::new(m0009_instance::Migration),
            Box::new(m0010_scoped_responses::Migration),
            Box::new(m0011_lookups::Migration),
            Box::new(m0012_log::Migration),
            Box::new(m0013_retention::Migration),
            Box::new(m0014_audit_lookups::Migration),
            Box::new(m0015_ticket_lookup::Migration),
            Box::new(m0016_client_networks::Migration),
            Box::new(m0017_text_search::Migration),
            Box::new(m0018_impersonation_lists::Migration),
        ]
    }
}

/// Applies pending migrations and, with `roles`, row-level security; the password is for the login,
/// if it has to be created. Concurrent calls wait for each other, and the later ones find nothing
/// to do.
pub async fn up(
    db: &sea_orm::DatabaseConnection,
    roles: Option<(&Roles, Option<&str>)>,
) -> Result<ApplyOutcome, DbErr> {
    let lock = backend::acquire_migration_lock(db).await?;
    let outcome = match (Migrator::up(db, None).await, roles) {
        (Err(error), _) => Err(error),
        (Ok(()), Some((roles, password))) => rls::apply(db, roles, password).await,
        (Ok(()), None) => Ok(ApplyOutcome::Done),
    };
    lock.release().await?;
    outcome
}

/// Names of the migrations that have not been applied.
pub async fn pending(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let mut pending: Vec<String> =
        Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    if backend::has_table(db, rls::MIGRATIONS).await? {
        let applied = Statement::from_string(
            db.get_database_backend(),
            format!("SELECT version FROM {}", rls::MIGRATIONS),
        );
        for row in db.query_all_raw(applied).await? {
            let version: String = row.try_get("", "version")?;
            pending.retain(|name| *name != version);
        }
    }
    Ok(pending)
}
