//! Postern's store, on SQLite and PostgreSQL.
//!
//! All access starts with a [`pre_auth::PreAuthTx`]: a transaction that can only look up the
//! caller. The policy's grant turns it into a [`unit::Reader`] or a [`unit::Work`], which reach
//! exactly what the grant's scope covers. A unit of work writes state only together with its
//! audit event; [`unit::Work::commit`] fails if a required event is missing.

mod backend;
mod columns;
mod commit_outcome;
mod deadline;
pub mod demo;
mod entity;
mod error;
mod event_writer;
mod instance;
pub mod log_notify;
mod lookup;
pub mod maintenance;
mod options;
mod persist;
pub mod pre_auth;
pub mod repository;
pub mod schema;
pub mod sequencer;
mod store;
mod tx;
mod tx_state;
pub mod unit;

pub use deadline::limit_waits;
pub use error::StoreError;
pub use options::{Durability, Options};
pub use postern_migration::rls::{Check, Fault};
pub use store::Store;
