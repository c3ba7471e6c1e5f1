//! Postern's store, on SQLite and on PostgreSQL.
//!
//! There is one way in: a [`gate::Gate`] opens a transaction in which a caller is looked up and nothing else; the
//! policy's grant turns it into a [`unit::Reader`] or a [`unit::Work`], which reaches just what the grant's scope
//! reaches. A unit of work writes state only together with the event that records it, and says so when it commits.

mod backend;
mod columns;
pub mod demo;
mod entity;
mod error;
pub mod gate;
pub mod growth;
mod instance;
pub mod keeper;
pub mod keyfile;
mod lookup;
mod org_key;
pub mod pump;
mod record;
mod recorder;
pub mod repository;
pub mod schema;
mod store;
mod stored;
mod tx;
pub mod unit;

pub use error::StoreError;
pub use postern_migration::fence::Fault;
pub use recorder::Recorder;
pub use store::{Durability, Options, Store};
