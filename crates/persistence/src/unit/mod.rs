//! Reading and writing under a grant.
//!
//! A [`Work`] writes state only through [`Work::save`], which takes a [`Change`] and writes its
//! event and effects in the same transaction. Writes without an event go through
//! [`Work::write_unaudited`], a closed list. [`Work::commit`] fails if the operation did not record
//! what it declares. Dropping a [`Reader`] or a [`Work`] rolls back.

mod log;
mod reader;
mod work;

pub use log::HasLog;
pub use reader::Reader;
pub use work::Work;
