//! Demo data: a vendor's staff and three customers, with usage and audit events.
//!
//! It is loaded only into an empty database, which is then marked as a demo. More customers can be
//! generated in bulk.

mod bulk;
mod bulk_sql;
mod customer;
mod error;
mod load;
mod marker;
mod user;

pub use bulk::{Size, fill};
pub use error::DemoError;
pub use load::{PASSWORD, load, sign_ins};
pub use marker::is_loaded;
pub use user::has_users;
