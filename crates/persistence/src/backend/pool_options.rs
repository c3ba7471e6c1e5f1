//! Options that the pools of both backends share.

use std::time::Duration;

use sea_orm::sqlx::{Database, pool::PoolOptions};

use crate::options::Options;

pub fn pool_options<DB: Database>(options: &Options) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(Duration::from_mins(10))
        .test_before_acquire(false)
}
