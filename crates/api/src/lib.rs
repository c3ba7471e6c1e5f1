//! Postern's HTTP API.
//!
//! Start with [`operations`], the table of every operation; then one feature, say `members`; then `http/endpoint.rs` and
//! `http/call.rs` for how a request becomes a call.

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
mod running;
mod server;
mod settings;
mod spans;
mod staff;
mod standing;
mod state;
mod tables;

pub use server::{Handle, Server, openapi};
pub use state::{StartError, State};
pub use tables::{actions_table, operations_table, permissions_table, problems_table};

use http::Routes;

/// Everything that is mounted. A test holds it against the table.
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
    impersonations::routes(&mut routes);
    staff::routes(&mut routes);
    running::routes(&mut routes);
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
