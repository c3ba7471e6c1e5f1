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
mod readiness;
mod server;
mod settings;
mod spans;
mod staff;
mod state;
mod system;
mod tables;

pub use server::{Handle, Server, openapi};
pub use state::{StartError, State};
pub use tables::{actions_table, operations_table, permissions_table, problems_table};

use http::Routes;

/// All mounted operations. A test compares them with the operations table.
#[must_use]
pub fn routes() -> Routes {
    let mut routes = Routes::default();
    auth::routes(&mut routes);
    me::routes(&mut routes);
    orgs::routes(&mut routes);
    members::routes(&mut routes);
    settings::routes(&mut routes);
    features::routes(&mut routes);
    audit::routes(&mut routes);
    accounts::routes(&mut routes);
    impersonations::routes(&mut routes);
    staff::routes(&mut routes);
    permissions::routes(&mut routes);
    system::routes(&mut routes);
    routes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_its_route_and_every_route_its_own_row() {
        let routes = routes();
        let mounted: Vec<&str> = routes.mounted().iter().map(|mounted| mounted.row.id).collect();
        let once: BTreeSet<&str> = mounted.iter().copied().collect();
        assert_eq!(once.len(), mounted.len(), "an operation is mounted twice");
        let rows: BTreeSet<&str> = operations::TABLE.iter().map(|row| row.id).collect();
        assert_eq!(once, rows);
    }
}
