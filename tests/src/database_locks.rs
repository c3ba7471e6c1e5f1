//! Locks on PostgreSQL, to run concurrent transactions in a certain order.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::{Database, SUPERUSER};

impl Database {
    /// A connection that holds the lock of this statement until it rolls back.
    pub async fn lock(&self, sql: &str) -> DatabaseConnection {
        let blocker = self.sign_in_as(SUPERUSER).await;
        blocker.execute_unprepared(&format!("BEGIN; {sql}")).await.expect("the lock is acquired");
        blocker
    }

    /// Waits until a transaction in this database waits for a lock of this kind.
    pub async fn wait_for_lock(&self, kind: &str) {
        let sql = format!(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted \
             AND locktype = '{kind}' AND datname = current_database()"
        );
        let started = Instant::now();
        while self.count(&sql).await == 0 {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "a transaction waits for a lock of kind {kind}"
            );
        }
    }
}
