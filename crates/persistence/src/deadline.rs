//! Deadlines of waits for the database.

use std::{cell::Cell, io, time::Duration};

use sea_orm::sqlx;
use tokio::time::{Instant, timeout};

tokio::task_local! {
    /// Time that the task may still wait for the database.
    static REMAINING: Cell<Duration>;
}

/// Limits the total time that a future waits for the database. Other waits do not count.
pub async fn limit_waits<F: Future>(total: Duration, future: F) -> F::Output {
    REMAINING.scope(Cell::new(total), future).await
}

/// Waits for the database for at most `limit` and what [`limit_waits`] leaves.
pub(crate) async fn wait<T>(
    limit: Duration,
    future: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let limit = REMAINING.try_with(Cell::get).map_or(limit, |remaining| remaining.min(limit));
    let started = Instant::now();
    let result = timeout(limit, future).await;
    // Fails outside of `limit_waits`, where only `limit` applies.
    let _ = REMAINING.try_with(|it| it.set(it.get().saturating_sub(started.elapsed())));
    result.unwrap_or_else(|_| {
        let detail = format!("no response from the database within {:.1} s", limit.as_secs_f64());
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, detail)))
    })
}
