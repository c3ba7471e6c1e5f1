//! Postern's schema. One concern per file; both databases come from the same files, and what differs between them
//! lives in [`backend`] alone.

#![cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "a migration speaks the schema builder's language throughout"))]

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

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait, sea_orm};

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
        ]
    }
}

/// Brings the schema up to date. Two that start at once take turns: the second finds nothing left to do.
pub async fn up(db: &sea_orm::DatabaseConnection) -> Result<(), sea_orm::DbErr> {
    let turn = backend::take_turn(db).await?;
    let migrated = Migrator::up(db, None).await;
    turn.end().await?;
    migrated
}
