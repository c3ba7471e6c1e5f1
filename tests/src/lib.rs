//! Test harness: a real server on a port for each test, on SQLite and PostgreSQL, with a clock that
//! the test sets.
//!
//! A test is `async fn name(t: &App)`; [`on_both!`] makes one test per backend from it. Callers are
//! the demo accounts: `t.sign_in("owner@acme.example").await.get("/v1/me").await.expect(200)`.

mod app;
mod client;
mod clock;
pub mod cluster;
mod contract;
mod database;
mod database_locks;
mod proxy;

pub use app::{App, Backend, run, test_config};
pub use client::{Person, Response};
pub use clock::TestClock;
pub use cluster::{Cluster, OWNER, SERVER, SUPERUSER};
pub use database::{Database, LOG_ORIGIN, as_role, store_options, write_audit_keys};
pub use proxy::{Failure, Proxy};

/// Password of all demo accounts.
pub use postern_persistence::demo::PASSWORD;

/// Makes `postgres::name` and `pgbouncer::name` of each test. For row-level security, which SQLite
/// does not have.
#[macro_export]
macro_rules! on_postgres {
    ($($name:ident),+ $(,)?) => {
        $crate::tests_on! { postgres, Postgres: $($name),+ }
        $crate::tests_on! { pgbouncer, PgBouncer: $($name),+ }
    };
}

/// Makes `sqlite::name` and `postgres::name` of each test.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $crate::tests_on! { sqlite, Sqlite: $($name),+ }
        $crate::tests_on! { postgres, Postgres: $($name),+ }
    };
}

/// Makes `sqlite::name`, `postgres::name` and `pgbouncer::name` of each test.
#[macro_export]
macro_rules! on_all {
    ($($name:ident),+ $(,)?) => {
        $crate::on_both! { $($name),+ }
        $crate::tests_on! { pgbouncer, PgBouncer: $($name),+ }
    };
}

/// Makes `module::name` of each test on one backend.
#[macro_export]
macro_rules! tests_on {
    ($module:ident, $backend:ident: $($name:ident),+) => {
        mod $module {
            $(#[test]
            fn $name() {
                $crate::run($crate::Backend::$backend, super::$name);
            })+
        }
    };
}
