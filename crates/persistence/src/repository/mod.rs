//! Repositories, one file per subject. They borrow a transaction. Repositories of an org are
//! created with its id, so that no query can omit it.

pub mod accounts;
pub mod credentials;
pub mod event_filter;
mod event_rows;
pub mod events;
pub mod features;
pub mod idempotency;
pub mod impersonation_filter;
pub mod impersonations;
pub mod log;
pub mod members;
pub mod org_stats;
pub mod orgs;
pub mod page;
pub mod retention;
pub mod sessions;
pub mod settings;
pub mod staff;
pub(crate) mod text;
pub mod unaudited;
pub mod users;
