//! Lock that lets one process at a time apply migrations.

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement,
    TransactionTrait,
};

/// Key of the PostgreSQL advisory lock. Any number, but the same in every version.
const MIGRATION_LOCK_KEY: i64 = 0x0050_6f73_7465_726e;

/// The lock, held until [`MigrationLock::release`].
pub struct MigrationLock(Option<DatabaseTransaction>);

/// Waits for other processes that migrate the same database. Returns at once on SQLite, where the
/// file belongs to one process.
pub async fn acquire_migration_lock(db: &DatabaseConnection) -> Result<MigrationLock, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(MigrationLock(None));
    }
    let transaction = db.begin().await?;
    let lock = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_advisory_xact_lock($1)",
        [MIGRATION_LOCK_KEY.into()],
    );
    transaction.execute_raw(lock).await?;
    Ok(MigrationLock(Some(transaction)))
}

impl MigrationLock {
    pub async fn release(self) -> Result<(), DbErr> {
        match self.0 {
            Some(transaction) => transaction.commit().await,
            None => Ok(()),
        }
    }
}
