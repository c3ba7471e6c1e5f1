//! Postern's store, on SQLite and on PostgreSQL.
//!
//! There is one way in: a [`gate::PreAuthTx`] opens a transaction in which a caller is looked up and nothing else; the
//! policy's grant turns it into a [`unit::Reader`] or a [`unit::Work`], which reaches just what the grant's scope
//! reaches. A unit of work writes state only together with the event that records it, and says so when it commits.

mod audit_keys;
mod backend;
mod columns;
pub mod demo;
mod entity;
mod error;
mod event_writer;
mod instance;
pub mod keyfile;
pub mod log_notify;
mod lookup;
pub mod maintenance;
mod org_key;
mod persist;
pub mod pre_auth;
pub mod repository;
pub mod schema;
pub mod sequencer;
mod store;
mod tx;
pub mod unit;

pub use audit_keys::AuditKeys;
pub use error::StoreError;
pub use postern_migration::fence::Fault;
pub use store::{Durability, Options, Store};
