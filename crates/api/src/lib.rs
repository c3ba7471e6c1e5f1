//! Postern's HTTP API.
//!
//! Start with [`operations`], the table of all operations; then read one feature, such as
//! `members`; then `http/endpoint.rs` and `http/call.rs` for the way from request to call.

mod accounts;
mod audit;
mod auth;
pub mod config;
mod docs;
mod features;
pub mod http;
pub mod identity;
mod impersonations;
mod me;
mod members;
pub mod operations;
mod orgs;
mod permissions;
mod prometheus;
mod readiness;
mod routes;
mod server;
mod settings;
mod spans;
mod staff;
mod state;
mod system;
mod tables;

pub use routes::{is_first_segment, routes};
pub use server::{Handle, Server, openapi, openapi_3_0};
pub use state::{StartError, State};
pub use tables::{actions_table, operations_table, permissions_table, problems_table};
