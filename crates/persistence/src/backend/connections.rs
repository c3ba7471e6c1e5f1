//! A pool of connections of either backend.
//!
//! Unlike sqlx's pool, it has a deadline for each wait, closes connections that no longer respond
//! instead of waiting for them, and opens all of them on one runtime.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use sea_orm::sqlx::{self, ConnectOptions, Connection};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use crate::{
    deadline::wait,
    error::{StoreError, sqlx_error},
    options::Options,
};

/// Connections idle for longer are pinged before use.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);

/// Maximum duration of a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum age of a connection, so that changes of the database's address take effect.
const MAX_AGE: Duration = Duration::from_mins(30);

/// Maximum wait for all connections to close in an orderly way.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Interval at which connections in use are looked for, because the pool has no notification.
const CLOSE_INTERVAL: Duration = Duration::from_millis(2);

/// A connection in use. Dropping it returns it to the pool.
pub type Pooled<C> = Object<Opener<C>>;

pub struct Connections<C: Connection + 'static> {
    pool: managed::Pool<Opener<C>>,
    /// Maximum wait for a connection.
    acquire_timeout: Duration,
}

/// Opens connections, and decides which ones can be used again.
pub struct Opener<C: Connection> {
    connect: C::Options,
    connect_timeout: Duration,
    /// Runtime that the sockets belong to.
    runtime: Handle,
    /// Connections last used before this time are closed.
    expired_at: Mutex<Option<Instant>>,
}

impl<C: Connection + 'static> Connections<C> {
    /// Opens one connection; others are opened when they are needed.
    pub async fn open(
        connect: C::Options,
        options: &Options,
        runtime: &Handle,
    ) -> Result<Self, StoreError> {
        let opener = Opener {
            connect,
            connect_timeout: options.acquire_timeout,
            runtime: runtime.clone(),
            expired_at: Mutex::new(None),
        };
        let pool = managed::Pool::builder(opener)
            .max_size(options.max_connections as usize)
            .build()
            .expect("a pool without timeouts needs no runtime");
        let connections = Self { pool, acquire_timeout: options.acquire_timeout };
        drop(connections.acquire().await?);
        Ok(connections)
    }

    pub async fn acquire(&self) -> Result<Pooled<C>, StoreError> {
        let connection = wait(self.acquire_timeout, async {
            self.pool.get().await.map_err(|error| match error {
                PoolError::Backend(error) => error,
                PoolError::Closed => sqlx::Error::PoolClosed,
                PoolError::Timeout(_) | PoolError::NoRuntimeSpecified => sqlx::Error::PoolTimedOut,
                PoolError::PostCreateHook(error) => sqlx::Error::Protocol(error.to_string()),
            })
        })
        .await;
        Ok(connection.map_err(sqlx_error)?)
    }

    /// Options with which connections are opened.
    pub fn options(&self) -> &C::Options {
        &self.pool.manager().connect
    }

    /// Closes connections that are idle now before their next use: another one was lost.
    pub fn expire_idle(&self) {
        self.pool.manager().expire_idle();
    }

    /// Closes all connections, those in use when their transactions have been rolled back. After
    /// [`CLOSE_TIMEOUT`], it drops the others, which closes them as well.
    pub async fn close(&self) {
        let close = async {
            loop {
                for connection in self.pool.retain(|_, _| false).removed {
                    let _ = connection.close().await;
                }
                if self.pool.status().size == 0 {
                    break;
                }
                sleep(CLOSE_INTERVAL).await;
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, close).await;
        self.pool.close();
    }
}

impl<C: Connection> Opener<C> {
    fn expire_idle(&self) {
        *self.expired_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

impl<C: Connection + 'static> managed::Manager for Opener<C> {
    type Type = C;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<C, sqlx::Error> {
        let (connect, limit) = (self.connect.clone(), self.connect_timeout);
        let opening = self.runtime.spawn(async move { timeout(limit, connect.connect()).await });
        match opening.await {
            Ok(Ok(opened)) => opened,
            Ok(Err(_)) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())),
            Err(_) => Err(sqlx::Error::WorkerCrashed),
        }
    }

    async fn recycle(&self, connection: &mut C, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        let expired_at = *self.expired_at.lock().unwrap_or_else(PoisonError::into_inner);
        let last_used = Instant::now().checked_sub(metrics.last_used());
        if metrics.age() > MAX_AGE || last_used <= expired_at {
            return Err(RecycleError::message("too old"));
        }
        if metrics.last_used() > PING_AFTER_IDLE
            && !matches!(timeout(PING_TIMEOUT, connection.ping()).await, Ok(Ok(())))
        {
            self.expire_idle();
            return Err(RecycleError::message("no response to a ping"));
        }
        Ok(())
    }
}
