//! Deadlines of waits for the database.

use std::{cell::Cell, io, time::Duration};

use sea_orm::sqlx;
use tokio::time::{Instant, timeout};

tokio::task_local! {
    /// Time that the task may still wait for the database.
    static REMAINING: Cell<Duration>;
}

/// The limit of [`limit_waits`] is reached.
#[derive(Debug, thiserror::Error)]
#[error("the request has waited for the database for too long")]
pub(crate) struct LimitReached;

/// Limits the total time that a future waits for the database. Other waits do not count.
pub async fn limit_waits<F: Future>(total: Duration, future: F) -> F::Output {
    REMAINING.scope(Cell::new(total), future).await
}

/// Time that [`limit_waits`] leaves; `None` outside of it.
pub(crate) fn remaining() -> Option<Duration> {
    REMAINING.try_with(Cell::get).ok()
}

/// Waits for the database for at most `limit` and what [`limit_waits`] leaves.
pub(crate) async fn wait<T>(
    limit: Duration,
    future: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let shorter = remaining().filter(|remaining| *remaining < limit);
    let started = Instant::now();
    let result = timeout(shorter.unwrap_or(limit), future).await;
    // Fails outside of `limit_waits`.
    let _ = REMAINING.try_with(|remaining| {
        remaining.set(remaining.get().saturating_sub(started.elapsed()));
    });
    result.unwrap_or_else(|_| {
        Err(sqlx::Error::Io(match shorter {
            Some(_) => io::Error::new(io::ErrorKind::TimedOut, LimitReached),
            None => io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no response from the database within {} s", limit.as_secs()),
            ),
        }))
    })
}
