//! Rules on the structure of the source code.

mod crates;
mod store_access;
