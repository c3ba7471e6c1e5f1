//! Outcome of a commit without a response.

use std::time::Duration;

use sea_orm::{DbBackend, QueryResult, Statement};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::{
    backend::{commit_outcome_sql, statement},
    deadline::limit_waits,
    error::StoreError,
};

/// Maximum time to find out the outcome, and interval between attempts.
const TIMEOUT: Duration = Duration::from_secs(3);
const INTERVAL: Duration = Duration::from_millis(50);

/// Identity of a PostgreSQL transaction that has written.
#[derive(Debug)]
pub struct Evidence {
    /// Id of the transaction (`xid8`).
    pub xid: String,
    /// Event that it wrote, if any.
    pub event: Option<Uuid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Committed,
    RolledBack,
}

impl Evidence {
    /// Statement that asks for the outcome. `None` on SQLite.
    pub fn statement(&self, backend: DbBackend) -> Option<Statement> {
        let values = [self.xid.as_str().into(), self.event.into()];
        commit_outcome_sql(backend).map(|sql| statement(backend, sql, values))
    }
}

/// Reads the response to [`Evidence::statement`]. `None` if the transaction has not ended, or if
/// its id belongs to another transaction after a failover.
pub fn read(row: &QueryResult) -> Result<Option<Outcome>, StoreError> {
    let status: Option<String> = row.try_get("", "status")?;
    let has_event: bool = row.try_get("", "has_event")?;
    Ok(match status.as_deref() {
        Some("committed") if has_event => Some(Outcome::Committed),
        Some("aborted") => Some(Outcome::RolledBack),
        _ => None,
    })
}

/// Asks until the outcome is known. `None` if the database does not respond or does not know it.
pub async fn find<F>(ask: impl Fn() -> F) -> Option<Outcome>
where
    F: Future<Output = Result<Option<Outcome>, StoreError>>,
{
    let find = async {
        loop {
            match ask().await {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "cannot read the outcome of a commit"),
            }
            sleep(INTERVAL).await;
        }
    };
    limit_waits(TIMEOUT, timeout(TIMEOUT, find)).await.ok()
}
